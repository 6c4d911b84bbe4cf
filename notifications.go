package main

import (
	"fmt"
	"net/http"
	"os"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/sluice-rollouts/sluice/internal/notify"
)

// notificationsFlag is told of where the file is wrong.
const notificationsFlag = "notifications"

// notifications reads where news go to, and lets the manager that leads send them.
// Without a file nobody is told.
func notifications(mgr ctrl.Manager, file string) (tell func(notify.News), err error) {
	if file == "" {
		return nil, nil //nolint:nilnil // nobody to tell is no error
	}
	text, err := os.ReadFile(file) //nolint:gosec // whoever starts the manager names it
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", notificationsFlag, err)
	}
	sinks, err := notify.Parse(text, os.ReadFile)
	if err != nil {
		return nil, fmt.Errorf("--%s: %s: %w", notificationsFlag, file, err)
	}
	log := ctrl.Log.WithName("notify")
	sender := notify.New(sinks, clock.RealClock{}, http.DefaultTransport, func(sink string, err error) {
		log.Info("News were given up", "sink", sink, "cause", err.Error())
	})
	if err := metrics.Registry.Register(sender.Counters()); err != nil {
		return nil, fmt.Errorf("registering the counts of news: %w", err)
	}
	if err := mgr.Add(sender); err != nil {
		return nil, fmt.Errorf("setting up the sender of news: %w", err)
	}
	return sender.Tell, nil
}
