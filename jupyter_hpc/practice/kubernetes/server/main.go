// All the servers of a Kubernetes in one program, chosen by the name it is called by.
//
// They share nearly all of their code, so that one program takes a fifth of the space and of the time
// to build. It has to be one process for each, because each installs the process's signal handler.
package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	_ "time/tzdata"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

var own = map[string]func([]string) error{"etcd": etcd, "gpu-plugin": gpuPlugin, "certificate": certificate}

var servers = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllers.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
}

func main() {
	name := filepath.Base(os.Args[0])
	if server, ok := servers[name]; ok {
		os.Exit(cli.Run(server()))
	}
	run, ok := own[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "%q is none of the programs in here\n", name)
		os.Exit(2)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// etcd FOLDER: a store that listens on sockets in its folder only, since whoever reaches it rules the
// cluster. It doesn't sync to disk: its state outlives its process, and need not outlive the machine.
func etcd(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("want FOLDER, got %d arguments", len(args))
	}
	config := embed.NewConfig()
	config.Dir = filepath.Join(args[0], "data")
	config.UnsafeNoFsync = true
	// what it says its addresses are has to have a port, and stays the default, where nobody listens
	config.ListenClientUrls = []url.URL{{Scheme: "unix", Path: filepath.Join(args[0], "client.sock")}}
	config.ListenPeerUrls = []url.URL{{Scheme: "unix", Path: filepath.Join(args[0], "peer.sock")}}
	server, err := embed.StartEtcd(config)
	if err != nil {
		return err
	}
	defer server.Close()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	select {
	case <-stop:
		return nil
	case err := <-server.Err():
		return err
	}
}
