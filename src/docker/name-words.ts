/** The words of generated container names. Lower-case letters only, friendly, no word twice. Must not know how they are joined. */

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

export const ADJECTIVES = words(`
  able active agile airy alert amber ample amused ancient apt aqua artful astute balanced balmy beaming blissful
  blithe bold bouncy brave breezy bright brisk bubbly busy calm candid careful caring casual charming cheerful
  cheery chipper civil clean clear clever cobalt cool coral cosy crafty crisp curious dapper daring dashing
  dazzling deft devoted diligent dreamy eager earnest easy elated elegant emerald epic exact fair faithful fancy
  fearless festive fleet fluent focused fond frank free fresh friendly frosty funny gallant generous gentle gifted
  glad gleaming golden graceful gracious grand grateful handy happy hardy hearty helpful honest hopeful humble
  indigo jaunty jazzy jolly jovial joyful keen kind lavish lively loyal lucid lucky lunar magic mellow merry
  mighty modest neat nifty nimble noble observant patient peaceful pearly perky placid playful plucky polite proud
  quick quiet quirky radiant rapid ready regal relaxed robust rosy sage scarlet serene shiny silky silver sincere
  sleek smart smiling snappy snug sociable solar sonic sparkling spirited splendid spry stable steady stellar
  sturdy sunny supple swift tactful teal tender thrifty tidal tidy tranquil trusty upbeat valiant velvet vibrant
  vivid warm wise witty wondrous zany zesty
`);

/** Fish and other creatures that live in water. */
export const CREATURES = words(`
  abalone albacore alewife alfonsino amberjack anchovy anemone angelfish arapaima archerfish arowana axolotl
  barbel barnacle barracuda barramundi bass beluga bichir blenny bluefin bluegill boarfish bonefish bonito bowfin
  bream brill brittlestar burbot butterfish capelin carp catfish char chub cichlid clam clownfish cobia cod
  coelacanth conch copepod corydoras cowrie crab crayfish croaker cuttlefish dab danio darter discus dolphin
  dorado dory dragonet dugong eel elver escolar fangtooth flathead flounder flyingfish fusilier gar garibaldi goby
  goldfish gourami grayling grouper grunion guppy gurnard haddock hake halfmoon halibut hamlet herring hogfish
  icefish isopod jellyfish killifish kingfish koi krill lamprey limpet lingcod lionfish loach lobster lumpfish
  lungfish mackerel mahimahi manatee manta marlin medaka menhaden minnow molly monkfish moonfish moray mudskipper
  mullet mussel narwhal nautilus needlefish neon nudibranch oarfish octopus opah orca oscar otter oyster
  paddlefish parrotfish perch pike pilchard pipefish piranha plaice platy pollock pomfret pompano porgy porpoise
  prawn puffer quahog rasbora redfish remora roach rockfish roughy rudd sablefish sailfish salmon sandeel sardine
  sawfish scallop scampi seahorse seal shad shark shiner shrimp skate smelt snapper snook sole sponge sprat squid
  starfish steelhead stingray sturgeon sunfish surgeonfish swordfish swordtail tarpon tench tetra threadfin
  tilapia tilefish triggerfish trout tuna turbot turtle urchin wahoo walleye walrus weakfish whale whelk whitefish
  whiting wolffish wrasse yellowtail zander
`);
