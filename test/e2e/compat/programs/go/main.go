// The Go SDK's cases, told as TAP does. DOCKER_HOST names the engine.
package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"
)

type made struct {
	name string
	run  func(context.Context, *client.Client) error
}

func expect(fine bool, what string, got ...interface{}) error {
	if fine {
		return nil
	}
	return fmt.Errorf("%s %v", what, got)
}

func sleeper(ctx context.Context, c *client.Client, host *container.HostConfig, labels map[string]string) (string, error) {
	config := &container.Config{Image: "busybox", Cmd: []string{"sleep", "600"}, Labels: labels}
	created, err := c.ContainerCreate(ctx, config, host, nil, nil, "")
	if err != nil {
		return "", err
	}
	return created.ID, c.ContainerStart(ctx, created.ID, types.ContainerStartOptions{})
}

func remove(ctx context.Context, c *client.Client, id string) error {
	return c.ContainerRemove(ctx, id, types.ContainerRemoveOptions{Force: true})
}

var cases = []made{
	{"negotiate, ping, version, info", func(ctx context.Context, c *client.Client) error {
		ping, err := c.Ping(ctx)
		if err != nil {
			return err
		}
		version, err := c.ServerVersion(ctx)
		if err != nil {
			return err
		}
		info, err := c.Info(ctx)
		if err != nil {
			return err
		}
		return expect(ping.OSType == "linux" && version.Os == "linux" && info.OSType == "linux", "OS", ping, version.Os)
	}},
	{"create, wait, start, logs, remove", func(ctx context.Context, c *client.Client) error {
		config := &container.Config{Image: "busybox", Cmd: []string{"sh", "-c", "echo out; echo err >&2; exit 3"}}
		created, err := c.ContainerCreate(ctx, config, nil, nil, nil, "cc-go")
		if err != nil {
			return err
		}
		done, failed := c.ContainerWait(ctx, created.ID, container.WaitConditionNextExit)
		if err := c.ContainerStart(ctx, created.ID, types.ContainerStartOptions{}); err != nil {
			return err
		}
		select {
		case err := <-failed:
			return err
		case status := <-done:
			if status.StatusCode != 3 {
				return fmt.Errorf("exit %d", status.StatusCode)
			}
		}
		logs, err := c.ContainerLogs(ctx, "cc-go", types.ContainerLogsOptions{ShowStdout: true, ShowStderr: true})
		if err != nil {
			return err
		}
		var out, told bytes.Buffer
		if _, err := stdcopy.StdCopy(&out, &told, logs); err != nil {
			return err
		}
		if out.String() != "out\n" || told.String() != "err\n" {
			return fmt.Errorf("logs %q %q", out.String(), told.String())
		}
		return remove(ctx, c, "cc-go")
	}},
	{"list with filters", func(ctx context.Context, c *client.Client) error {
		id, err := sleeper(ctx, c, nil, map[string]string{"compat": "go"})
		if err != nil {
			return err
		}
		listed, err := c.ContainerList(ctx, types.ContainerListOptions{Filters: filters.NewArgs(filters.Arg("label", "compat=go"))})
		if err != nil {
			return err
		}
		if len(listed) != 1 || listed[0].ID != id {
			return fmt.Errorf("listed %v", listed)
		}
		return remove(ctx, c, id)
	}},
	{"attach, hijacked", func(ctx context.Context, c *client.Client) error {
		config := &container.Config{Image: "busybox", Cmd: []string{"cat"}, OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true}
		created, err := c.ContainerCreate(ctx, config, nil, nil, nil, "")
		if err != nil {
			return err
		}
		attached, err := c.ContainerAttach(ctx, created.ID, types.ContainerAttachOptions{Stream: true, Stdin: true, Stdout: true})
		if err != nil {
			return err
		}
		defer attached.Close()
		if err := c.ContainerStart(ctx, created.ID, types.ContainerStartOptions{}); err != nil {
			return err
		}
		fmt.Fprint(attached.Conn, "through")
		if err := attached.CloseWrite(); err != nil {
			return err
		}
		var out bytes.Buffer
		if _, err := stdcopy.StdCopy(&out, io.Discard, attached.Reader); err != nil {
			return err
		}
		if out.String() != "through" {
			return fmt.Errorf("told %q", out.String())
		}
		return remove(ctx, c, created.ID)
	}},
	{"exec with its exit code", func(ctx context.Context, c *client.Client) error {
		id, err := sleeper(ctx, c, nil, nil)
		if err != nil {
			return err
		}
		exec, err := c.ContainerExecCreate(ctx, id, types.ExecConfig{Cmd: []string{"sh", "-c", "echo o; exit 5"}, AttachStdout: true})
		if err != nil {
			return err
		}
		attached, err := c.ContainerExecAttach(ctx, exec.ID, types.ExecStartCheck{})
		if err != nil {
			return err
		}
		defer attached.Close()
		var out bytes.Buffer
		if _, err := stdcopy.StdCopy(&out, io.Discard, attached.Reader); err != nil {
			return err
		}
		ended, err := c.ContainerExecInspect(ctx, exec.ID)
		if err != nil {
			return err
		}
		if out.String() != "o\n" || ended.ExitCode != 5 {
			return fmt.Errorf("told %q, exit %d", out.String(), ended.ExitCode)
		}
		return remove(ctx, c, id)
	}},
	{"archives both ways", func(ctx context.Context, c *client.Client) error {
		id, err := sleeper(ctx, c, nil, nil)
		if err != nil {
			return err
		}
		var sent bytes.Buffer
		writer := tar.NewWriter(&sent)
		writer.WriteHeader(&tar.Header{Name: "sent", Mode: 0o644, Size: 4})
		writer.Write([]byte("word"))
		writer.Close()
		if err := c.CopyToContainer(ctx, id, "/tmp", &sent, types.CopyToContainerOptions{}); err != nil {
			return err
		}
		got, stat, err := c.CopyFromContainer(ctx, id, "/tmp/sent")
		if err != nil {
			return err
		}
		defer got.Close()
		all, err := io.ReadAll(got)
		if err != nil {
			return err
		}
		if stat.Size != 4 || !bytes.Contains(all, []byte("word")) {
			return fmt.Errorf("stat %v", stat)
		}
		return remove(ctx, c, id)
	}},
	{"events", func(ctx context.Context, c *client.Client) error {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
		defer cancel()
		// It is asked for in the background, and nothing tells when the engine listens.
		since := fmt.Sprint(time.Now().Unix())
		messages, failed := c.Events(ctx, types.EventsOptions{Since: since, Filters: filters.NewArgs(filters.Arg("type", "container"), filters.Arg("event", "create"), filters.Arg("event", "destroy"))})
		created, err := c.ContainerCreate(ctx, &container.Config{Image: "busybox"}, nil, nil, nil, "")
		if err != nil {
			return err
		}
		if err := remove(ctx, c, created.ID); err != nil {
			return err
		}
		seen := ""
		for seen != "create destroy " {
			select {
			case err := <-failed:
				return err
			case message := <-messages:
				if message.Actor.ID == created.ID {
					seen += message.Action + " "
				}
			}
		}
		return nil
	}},
	{"images", func(ctx context.Context, c *client.Client) error {
		if err := c.ImageTag(ctx, "busybox", "cc-go:1"); err != nil {
			return err
		}
		listed, err := c.ImageList(ctx, types.ImageListOptions{Filters: filters.NewArgs(filters.Arg("reference", "cc-go"))})
		if err != nil {
			return err
		}
		if len(listed) != 1 || len(listed[0].RepoTags) != 1 {
			return fmt.Errorf("listed %v", listed)
		}
		saved, err := c.ImageSave(ctx, []string{"cc-go:1"})
		if err != nil {
			return err
		}
		loaded, err := c.ImageLoad(ctx, saved, true)
		if err != nil {
			return err
		}
		io.Copy(io.Discard, loaded.Body)
		loaded.Body.Close()
		if _, err := c.ImageRemove(ctx, "cc-go:1", types.ImageRemoveOptions{}); err != nil {
			return err
		}
		_, _, err = c.ImageInspectWithRaw(ctx, "cc-go:1")
		return expect(client.IsErrNotFound(err), "not gone", err)
	}},
	{"a pull of an image that is nowhere", func(ctx context.Context, c *client.Client) error {
		body, err := c.ImagePull(ctx, "127.0.0.1:1/cc-missing:1", types.ImagePullOptions{})
		if err == nil {
			body.Close()
			return errors.New("no error")
		}
		return nil
	}},
	{"networks", func(ctx context.Context, c *client.Client) error {
		// What is connected after its start has to be where the network is.
		labels := map[string]string{"compat": "go", "shoal.group": "cc-go"}
		made, err := c.NetworkCreate(ctx, "cc-go", types.NetworkCreate{Labels: labels})
		if err != nil {
			return err
		}
		id, err := sleeper(ctx, c, &container.HostConfig{NetworkMode: "cc-go"}, nil)
		if err != nil {
			return err
		}
		other, err := sleeper(ctx, c, nil, labels)
		if err != nil {
			return err
		}
		if err := c.NetworkConnect(ctx, made.ID, other, &network.EndpointSettings{Aliases: []string{"other"}}); err != nil {
			return err
		}
		inspected, err := c.NetworkInspect(ctx, "cc-go", types.NetworkInspectOptions{})
		if err != nil {
			return err
		}
		if _, there := inspected.Containers[id]; !there || len(inspected.Containers) != 2 {
			return fmt.Errorf("containers %v", inspected.Containers)
		}
		if err := c.NetworkDisconnect(ctx, "cc-go", other, false); err != nil {
			return err
		}
		for _, one := range []string{id, other} {
			if err := remove(ctx, c, one); err != nil {
				return err
			}
		}
		if err := c.NetworkRemove(ctx, made.ID); err != nil {
			return err
		}
		_, err = c.NetworkInspect(ctx, made.ID, types.NetworkInspectOptions{})
		return expect(client.IsErrNotFound(err), "not gone", err)
	}},
	{"volumes", func(ctx context.Context, c *client.Client) error {
		if _, err := c.VolumeCreate(ctx, volume.VolumeCreateBody{Name: "cc-go", Labels: map[string]string{"compat": "go"}}); err != nil {
			return err
		}
		id, err := sleeper(ctx, c, &container.HostConfig{Binds: []string{"cc-go:/data"}}, nil)
		if err != nil {
			return err
		}
		listed, err := c.VolumeList(ctx, filters.NewArgs(filters.Arg("label", "compat=go")))
		if err != nil {
			return err
		}
		if len(listed.Volumes) != 1 {
			return fmt.Errorf("listed %v", listed.Volumes)
		}
		if err := c.VolumeRemove(ctx, "cc-go", false); err == nil {
			return errors.New("removed in use")
		}
		if err := remove(ctx, c, id); err != nil {
			return err
		}
		return c.VolumeRemove(ctx, "cc-go", false)
	}},
	{"prunes, disk usage", func(ctx context.Context, c *client.Client) error {
		nothing := filters.NewArgs(filters.Arg("label", "compat=nothing"))
		if _, err := c.ContainersPrune(ctx, nothing); err != nil {
			return err
		}
		if _, err := c.NetworksPrune(ctx, nothing); err != nil {
			return err
		}
		if _, err := c.VolumesPrune(ctx, nothing); err != nil {
			return err
		}
		usage, err := c.DiskUsage(ctx)
		if err != nil {
			return err
		}
		return expect(len(usage.Images) > 0, "no images", usage)
	}},
	{"swarm mode is not on", func(ctx context.Context, c *client.Client) error {
		_, err := c.ServiceList(ctx, types.ServiceListOptions{})
		return expect(err != nil && strings.Contains(err.Error(), "swarm manager"), "error", err)
	}},
}

func main() {
	c, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		panic(err)
	}
	for _, one := range cases {
		if err := one.run(context.Background(), c); err != nil {
			fmt.Printf("not ok - %s # %s\n", one.name, strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Printf("ok - %s\n", one.name)
		}
	}
	fmt.Printf("1..%d\n", len(cases))
}
