package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

// open compiles the commands to try, and serves the page with the buttons, at the address
// that it returns.
func (s *stage) open(ctx context.Context) (page string, err error) {
	say("compiling kubectl sluice, which lives in the world's time here")
	if err := s.build(ctx, "kubectl-sluice", "./hack/demo/plugin", "-ldflags", "-X main.world="+s.world.url); err != nil {
		return "", err
	}
	return s.direct(ctx)
}

// export is the line that the commands need before them.
func (s *stage) export() string {
	return fmt.Sprintf("export KUBECONFIG=%s PATH=%s:%s:$PATH", s.kubeconfig, s.dir, filepath.Dir(s.kubectl))
}

// leaveRunning slows the world down, puts buttons on the page that break it, and
// waits until the user has seen enough.
func (s *stage) leaveRunning(ctx context.Context) error {
	page, err := s.open(ctx)
	if err != nil {
		return err
	}
	if err := s.world.setSpeed(ctx, playSpeed); err != nil {
		return err
	}
	fmt.Printf(`
Everything goes on running, at %dx, until Ctrl-C. The page, with buttons that break the world:

  %s

Three commands to try in another terminal, after this line:

  %s

  %s

kubectl sluice and the page go by the world's clock, kubectl get by this machine's. After a rollback the next release
waits 20 minutes, two by this machine's clock, until the NAT gateway has calmed down; an abort needs one under way.
`, playSpeed, page, s.export(), strings.Join(commands[:], "\n  "))
	<-ctx.Done()
	fmt.Println("\nEnding. Nothing of it stays on this machine but what was downloaded or compiled.")
	return nil
}

// direct serves the page with the buttons until the demo ends.
func (s *stage) direct(ctx context.Context) (address string, err error) {
	handler, err := director("http://"+s.page, s.world.call)
	if err != nil {
		return "", err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listening for the page: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fmt.Println("the page has ended:", err)
		}
	}()
	s.closers = append(s.closers, func() { _ = server.Close() })
	return "http://" + listener.Addr().String() + "/", nil
}
