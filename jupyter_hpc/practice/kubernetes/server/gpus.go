package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	plugins "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const resource = "nvidia.com/gpu"

// gpus is a device plugin that has nothing but names for its devices: the kubelet counts and hands
// them out as it does real ones, and a container finds them in NVIDIA_VISIBLE_DEVICES.
type gpus struct {
	plugins.UnimplementedDevicePluginServer
	devices []*plugins.Device
}

func (g *gpus) GetDevicePluginOptions(context.Context, *plugins.Empty) (*plugins.DevicePluginOptions, error) {
	return &plugins.DevicePluginOptions{}, nil
}

func (g *gpus) ListAndWatch(_ *plugins.Empty, stream grpc.ServerStreamingServer[plugins.ListAndWatchResponse]) error {
	if err := stream.Send(&plugins.ListAndWatchResponse{Devices: g.devices}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}

func (g *gpus) Allocate(_ context.Context, asked *plugins.AllocateRequest) (*plugins.AllocateResponse, error) {
	answer := &plugins.AllocateResponse{}
	for _, container := range asked.ContainerRequests {
		answer.ContainerResponses = append(answer.ContainerResponses, &plugins.ContainerAllocateResponse{
			Envs: map[string]string{"NVIDIA_VISIBLE_DEVICES": strings.Join(container.DevicesIds, ",")},
		})
	}
	return answer, nil
}

// gpuPlugin FOLDER COUNT: serves until it is killed. A kubelet that starts empties the folder, which
// is how a plugin learns that it has to register again; the file "registered" says that it has.
func gpuPlugin(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("want FOLDER COUNT, got %d arguments", len(args))
	}
	count, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	plugin := &gpus{}
	for index := range count {
		plugin.devices = append(plugin.devices, &plugins.Device{ID: fmt.Sprintf("GPU-%d", index), Health: plugins.Healthy})
	}
	for {
		if err := plugin.serve(args[0]); err != nil {
			fmt.Fprintln(os.Stderr, "gpu-plugin:", err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// serve returns when the kubelet doesn't answer, or when its start has removed our socket.
func (g *gpus) serve(folder string) error {
	kubelet, own := filepath.Join(folder, "kubelet.sock"), filepath.Join(folder, "practice-gpu.sock")
	if _, err := os.Stat(kubelet); err != nil {
		return nil // no kubelet yet
	}
	if err := os.Remove(own); err != nil && !os.IsNotExist(err) {
		return err
	}
	listener, err := net.Listen("unix", own)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	plugins.RegisterDevicePluginServer(server, g)
	go server.Serve(listener)
	defer server.Stop()
	if err := register(kubelet, filepath.Base(own)); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "registered"), nil, 0o644); err != nil {
		return err
	}
	for {
		time.Sleep(200 * time.Millisecond)
		if _, err := os.Stat(own); err != nil {
			return nil
		}
	}
}

func register(kubelet, own string) error {
	connection, err := grpc.NewClient("unix://"+kubelet, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	soon, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err = plugins.NewRegistrationClient(connection).Register(soon, &plugins.RegisterRequest{
		Version: plugins.Version, Endpoint: own, ResourceName: resource, Options: &plugins.DevicePluginOptions{},
	})
	return err
}
