package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/kcc"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/clock"
	"github.com/sluice-rollouts/sluice/test/configconnector"
)

const (
	cart        = "projects/acme-prod/locations/asia-northeast1/services/cart"
	cartInGit   = "hack/demo/kept/runservice.yaml"
	cartRollout = "hack/demo/kept/rollout.yaml"
	cartImages  = "asia-northeast1-docker.pkg.dev/acme/shop/cart:"
	cartNow     = cartImages + "2.0.0" // what Git says at first
)

// kept is the last act: a service that Config Connector keeps as a RunService says. Its
// releases are changes of the RunService in Git.
var kept = []act{
	{title: "5a RunService, healthy", service: cart, image: cartImages + "2.1.0", ends: v1alpha1.PhaseCompleted},
	{title: "5b RunService, 5% errors", service: cart, image: cartImages + "2.2.0", ends: v1alpha1.PhaseRolledBack},
}

// playKept plays the act of Config Connector. Google's own cannot run here: what stands
// in for it works on the same objects of the same kube-apiserver.
func (s *stage) playKept(ctx context.Context) ([]result, error) {
	fmt.Println("\nAct 5 is about a service that Config Connector keeps, or rather what stands in for it here")
	if err := s.run(ctx, "apply", "-f", "test/configconnector/crd"); err != nil {
		return nil, err
	}
	if err := s.run(ctx, "wait", "--for=condition=Established", "crd", "runservices.run.cnrm.cloud.google.com", "--timeout=30s"); err != nil {
		return nil, err
	}
	say("%s is applied with kubectl: it has no traffic", cartInGit)
	if err := s.apply(ctx, cartInGit); err != nil {
		return nil, err
	}
	if err := s.startConnector(ctx); err != nil {
		return nil, err
	}
	say("%s is applied with kubectl: it names the RunService", cartRollout)
	if err := s.apply(ctx, cartRollout); err != nil {
		return nil, err
	}
	s.watch = &watcher{stage: s, rollout: client.ObjectKey{Namespace: "default", Name: "cart"}, broken: s.watch.broken}
	if err := s.idle(ctx); err != nil {
		return nil, err
	}
	return s.playActs(ctx, kept)
}

// startConnector lets Config Connector's stand-in look after cart until the demo ends.
func (s *stage) startConnector(ctx context.Context) error {
	api, err := dynamic.NewForConfig(s.plane.Config)
	if err != nil {
		return err
	}
	now, err := clock.Dial(ctx, s.world.url)
	if err != nil {
		return err
	}
	connector := configconnector.New(api, configconnector.At("http://"+s.ports.cloudRun, now.Now))
	ctx, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.connect(ctx, connector)
	}()
	s.closers = append(s.closers, func() {
		stop()
		<-done
	})
	return nil
}

// connect steps through cart again and again. What fails is tried again, and told if
// the demo fails.
func (s *stage) connect(ctx context.Context, connector *configconnector.Connector) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := connector.Run(ctx, types.NamespacedName{Namespace: "default", Name: "cart"}); err != nil {
			_, _ = fmt.Fprintln(s.said, "Config Connector:", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// release applies the RunService with another image, and waits until Cloud Run has made
// a revision of it.
func (s *stage) release(ctx context.Context, image string) (revision string, err error) {
	text, err := os.ReadFile(cartInGit)
	if err != nil {
		return "", err
	}
	file := filepath.Join(s.dir, filepath.Base(cartInGit))
	if err := os.WriteFile(file, bytes.ReplaceAll(text, []byte(cartNow), []byte(image)), 0o600); err != nil {
		return "", err
	}
	before, err := s.newest(ctx)
	if err != nil {
		return "", err
	}
	if err := s.apply(ctx, file); err != nil {
		return "", err
	}
	return revision, until(ctx, "a revision of "+image, 30*time.Second, func() (bool, error) {
		revision, err = s.newest(ctx)
		return revision != before, err
	})
}

// newest is the newest revision of cart in the world's log.
func (s *stage) newest(ctx context.Context) (string, error) {
	log, err := s.world.log(ctx)
	if err != nil {
		return "", err
	}
	for _, e := range slices.Backward(log) {
		if e.Kind == simulator.EventRevisionCreated && e.Service == cart {
			return e.Revision, nil
		}
	}
	return "", nil
}

// keptPromises holds the act of Config Connector against what Sluice promises.
func (s *stage) keptPromises(ctx context.Context, results []result, log []simulator.Event) (looked int, broken []string, err error) {
	object, err := s.cart(ctx)
	if err != nil {
		return 0, nil, err
	}
	promise := func(holds bool, format string, args ...any) {
		looked++
		if !holds {
			broken = append(broken, "act 5: "+fmt.Sprintf(format, args...))
		}
	}
	good, bad := results[0], results[1]
	for _, r := range results {
		promise(r.outcome == r.act.ends, "%s ended as %s, not %s", r.act.image, r.outcome, r.act.ends)
	}
	promise(slices.Equal(good.weights, plannedWeights), "the healthy release went %s", weights(good.weights))
	promise(slices.Equal(bad.weights, []int{5, 0}), "the bad release went %s, not back at its first step", weights(bad.weights))
	promise(bad.final[good.candidate] == 100, "after the rollback %v serves", bad.final)
	by := authors(log, good.from)
	promise(slices.Equal(by, []string{configconnector.Identity}), "traffic was set by %s, not by Config Connector alone", strings.Join(by, ", "))
	says := split(object)
	promise(maps.Equal(says, map[string]int64{good.candidate: 100}), "spec.traffic says %v after the rollback", says)
	owners := owners(object)
	promise(slices.Equal(owners, []string{kcc.Manager}), "spec.traffic is owned by %s", strings.Join(owners, ", "))
	image := imageOf(object)
	promise(image == bad.act.image, "the RunService has the image %s, which is not what Git says", image)
	return looked, broken, nil
}

func (s *stage) cart(ctx context.Context) (*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(configconnector.RunServices.GroupVersion().WithKind("RunService"))
	return object, s.kube.Get(ctx, client.ObjectKey{Namespace: "default", Name: "cart"}, object)
}

// authors are those who asked for a split of cart from a moment on.
func authors(log []simulator.Event, from time.Time) []string {
	var all []string
	for _, e := range log {
		if e.Kind == simulator.EventDesired && e.Service == cart && !e.At.Before(from) {
			all = append(all, e.Author)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// split is spec.traffic of a RunService.
func split(object *unstructured.Unstructured) map[string]int64 {
	list, _, _ := unstructured.NestedSlice(object.Object, "spec", "traffic")
	says := map[string]int64{}
	for _, one := range list {
		entry, _ := one.(map[string]any)
		revision, _ := entry["revision"].(string)
		percent, _ := entry["percent"].(int64)
		says[revision] += percent
	}
	return says
}

// owners are the field managers of spec.traffic.
func owners(object *unstructured.Unstructured) []string {
	var all []string
	for _, fields := range object.GetManagedFields() {
		if fields.FieldsV1 != nil && bytes.Contains(fields.FieldsV1.GetRawBytes(), []byte(`"f:traffic"`)) {
			all = append(all, fields.Manager)
		}
	}
	return all
}

// imageOf is the image that a RunService has.
func imageOf(object *unstructured.Unstructured) string {
	list, _, _ := unstructured.NestedSlice(object.Object, "spec", "template", "containers")
	if len(list) == 0 {
		return ""
	}
	container, _ := list[0].(map[string]any)
	image, _ := container["image"].(string)
	return image
}
