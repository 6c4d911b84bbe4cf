package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/test/manager"
)

const (
	// look is how often the objects are looked at, and patience how long a part of a
	// play may take, in real time.
	look     = 2 * time.Second
	patience = 40 * time.Minute
	// nearly is the part of the others that must be under way before the bad ones are
	// released, in percent: some end a step while others begin.
	nearly = 95
)

// play is one measurement.
type play struct {
	others, bad, projects int
	refused               int // percent of the calls
	speed                 float64

	number             int
	binary, kubeconfig string
	config             *rest.Config
}

// String says what is measured.
func (p play) String() string {
	text := fmt.Sprintf("%d bad releases, %d other rollouts under way", p.bad, p.others)
	if p.refused > 0 {
		text += fmt.Sprintf(", %d%% of the calls refused with 429", p.refused)
	}
	return text
}

// measure plays it, and reads the result from the world's log.
func (p play) measure(ctx context.Context) (r result, err error) {
	sites := p.sites()
	world, err := town(sites)
	if err != nil {
		return result{}, err
	}
	world.Advance(10 * time.Minute) // so that there is something to be seen
	cloud, err := newCloud(ctx, world)
	if err != nil {
		return result{}, err
	}
	defer func() { err = errors.Join(err, cloud.close()) }()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	objects, err := p.create(ctx, sites)
	if err != nil {
		return result{}, err
	}
	defer func() { err = errors.Join(err, objects.drop(context.WithoutCancel(ctx))) }()
	said := &manager.Tail{}
	process := manager.New(p.binary, append([]string{
		"--kubeconfig", p.kubeconfig, "--health-probe-bind-address", "0", "--dashboard-bind-address", "0", "--leader-elect=false",
	}, cloud.args...), said)
	if err := process.Start(); err != nil {
		return result{}, err
	}
	defer process.Kill()
	cloud.guard.SetSpeed(p.speed)
	if r, err = p.release(ctx, cloud, objects, sites); err != nil {
		return result{}, fmt.Errorf("%w; the manager said\n%s", err, said)
	}
	return r, nil
}

// release releases everywhere, waits until the others are under way, and then
// releases what is bad.
func (p play) release(ctx context.Context, cloud *cloud, objects objects, sites []site) (result, error) {
	err := objects.until(ctx, "all are at rest", func(phases map[v1alpha1.Phase]int) bool {
		return phases[v1alpha1.PhaseIdle] == len(sites)
	})
	if err != nil {
		return result{}, err
	}
	if err := deploy(cloud, sites[p.bad:], "web:2"); err != nil {
		return result{}, err
	}
	err = objects.until(ctx, "the others are under way", func(phases map[v1alpha1.Phase]int) bool {
		return (phases[v1alpha1.PhaseBaking]+phases[v1alpha1.PhaseHeld])*100 >= p.others*nearly
	})
	if err != nil {
		return result{}, err
	}
	from := cloud.now()
	if err := deploy(cloud, sites[:p.bad], "web:bad"); err != nil {
		return result{}, err
	}
	storm, err := p.storm(ctx, cloud, sites[:p.bad])
	if err != nil {
		return result{}, err
	}
	return p.read(cloud, from, storm, sites[:p.bad])
}

// storm begins once half of the bad ones serve, and lasts until all that do are back.
// In a storm some never begin, because nothing rises on what cannot be seen.
func (p play) storm(ctx context.Context, cloud *cloud, bad []site) (began time.Time, err error) {
	w := &ways{served: map[string]bool{}, back: map[string]bool{}}
	if err := cloud.follow(ctx, bad, w, "half of the bad ones serve", func() bool { return count(w.served)*2 >= len(bad) }); err != nil {
		return time.Time{}, err
	}
	began = cloud.now()
	cloud.storm.begin(p.refused)
	over := func() bool { return count(w.back) == count(w.served) && (p.refused > 0 || count(w.back) == len(bad)) }
	return began, cloud.follow(ctx, bad, w, "the bad ones are back", over)
}

func deploy(cloud *cloud, sites []site, image string) error {
	for _, s := range sites {
		if err := cloud.deploy(s, image); err != nil {
			return err
		}
	}
	return nil
}

// objects are the rollouts of a play, in a namespace for each project: one namespace may have
// some hundreds. They are watched: to list thousands again and again would keep the apiserver
// from its work.
type objects struct {
	client     client.Client
	namespaces map[string]cache.Config
	watched    client.Reader
}

func (p play) create(ctx context.Context, sites []site) (objects, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return objects{}, err
	}
	config := rest.CopyConfig(p.config)
	config.QPS = -1
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return objects{}, err
	}
	o := objects{client: c, namespaces: map[string]cache.Config{}}
	for _, project := range projectsOf(sites) {
		space := &corev1.Namespace{}
		space.Name = p.namespace(project)
		if err := errors.Join(c.Create(ctx, space), c.Create(ctx, manager.Access(space.Name, project))); err != nil {
			return objects{}, err
		}
		o.namespaces[space.Name] = cache.Config{}
	}
	for _, s := range sites {
		if err := c.Create(ctx, s.rollout(p.namespace(s.project))); err != nil {
			return objects{}, err
		}
	}
	return o, o.watch(ctx, config, scheme)
}

// namespace is where the rollouts of a project's services are.
func (p play) namespace(project string) string { return fmt.Sprintf("crowd-%d-%s", p.number, project) }

// watch begins to watch them, until the context ends.
func (o *objects) watch(ctx context.Context, config *rest.Config, scheme *runtime.Scheme) error {
	watched, err := cache.New(config, cache.Options{
		Scheme: scheme, DefaultNamespaces: o.namespaces,
	})
	if err != nil {
		return err
	}
	if _, err := watched.GetInformer(ctx, &v1alpha1.CloudRunRollout{}); err != nil {
		return err
	}
	go func() { _ = watched.Start(ctx) }() // it ends with the context alone
	if !watched.WaitForCacheSync(ctx) {
		return errors.New("the objects cannot be watched")
	}
	o.watched = watched
	return nil
}

// drop deletes them, without the manager.
func (o objects) drop(ctx context.Context) error {
	var list v1alpha1.CloudRunRolloutList
	if err := o.client.List(ctx, &list); err != nil { // those of a play before are gone
		return err
	}
	for i := range list.Items {
		ro := &list.Items[i]
		before := ro.DeepCopy()
		ro.Finalizers = nil
		if err := errors.Join(o.client.Patch(ctx, ro, client.MergeFrom(before)), o.client.Delete(ctx, ro)); err != nil {
			return err
		}
	}
	return nil
}

// until waits until the phases are as wanted.
func (o objects) until(ctx context.Context, what string, so func(map[v1alpha1.Phase]int) bool) error {
	var phases map[v1alpha1.Phase]int
	err := wait.PollUntilContextTimeout(ctx, look, patience, true, func(ctx context.Context) (bool, error) {
		var list v1alpha1.CloudRunRolloutList
		if err := o.watched.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
			return false, err
		}
		phases = map[v1alpha1.Phase]int{}
		for i := range list.Items {
			if status := list.Items[i].Status; status.Phase != v1alpha1.PhaseIdle || status.Stable != nil {
				phases[status.Phase]++
			} // what is released before its service was read is no candidate
		}
		return so(phases), nil
	})
	if err != nil {
		return fmt.Errorf("waiting until %s, with %v: %w", what, phases, err)
	}
	return nil
}
