package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// commands are those to try at the end of the demo.
var commands = [3]string{
	"kubectl sluice list -A",
	"kubectl sluice get graphql-api -w",
	"kubectl sluice abort graphql-api --reason trying",
}

// playEnd does what somebody may do whom the demo leaves with its page and its commands,
// and returns what does not come of it: a release is deployed by a button, somebody else
// moves its traffic by another one, so that a person is needed, and the commands tell of
// that and end it.
func (s *stage) playEnd(ctx context.Context) (looked int, broken []string, err error) {
	fmt.Println("\nThe page with the buttons and the three commands are tried")
	page, err := s.open(ctx)
	if err != nil {
		return 0, nil, err
	}
	e := &ending{stage: s, page: page}
	s.watch = &watcher{stage: s, rollout: client.ObjectKey{Namespace: "default", Name: "graphql-api"}}
	now, err := s.world.now(ctx)
	if err != nil {
		return 0, nil, err
	}
	// What an attempt left behind at the NAT gateway is gone by then.
	if err := s.world.skip(ctx, now.Add(coolDown)); err != nil {
		return 0, nil, err
	}
	e.shows(ctx, "graphql-api")
	for _, t := range tricks {
		e.shows(ctx, t.label)
	}
	e.presses(ctx, "healthy")
	e.comes(ctx, "a release that bakes", func(ro *v1alpha1.CloudRunRollout) bool { return ro.Status.Phase == v1alpha1.PhaseBaking })
	e.presses(ctx, "edit")
	e.comes(ctx, "a wait for a person", func(ro *v1alpha1.CloudRunRollout) bool {
		return readiness(ro).Reason == v1alpha1.ReasonTrafficConflict
	})
	e.shows(ctx, v1alpha1.ReasonTrafficConflict)
	e.says(ctx, commands[0], "graphql-api", v1alpha1.ReasonTrafficConflict)
	e.says(ctx, commands[1], "TrafficConflict at 100%", "Next: Waits: resume writes our split again")
	seen := ""
	if err := s.scraper.sees(ctx, `sluice_rollout_awaiting_human{name="graphql-api", cause="TrafficConflict"}`); err != nil {
		seen = err.Error()
	}
	e.keep("Prometheus sees who waits for a person", seen)
	e.presses(ctx, "mend")
	e.says(ctx, commands[2], "Accepted: ", "Cloud Run confirms: ")
	e.comes(ctx, "the end of the release", func(ro *v1alpha1.CloudRunRollout) bool { return ro.Status.Phase == v1alpha1.PhaseRolledBack })
	return e.looked, e.broken, nil
}

// coolDown is how long the next release waits after a rollback.
const coolDown = 21 * time.Minute

// ending is the end of the demo while it is tried.
type ending struct {
	*stage
	page   string
	looked int
	broken []string
}

// keep counts a promise, and notes what was found where it was broken; "" where it is kept.
func (e *ending) keep(promise, found string) {
	e.looked++
	if found != "" {
		e.broken = append(e.broken, fmt.Sprintf("at the end, %s: %s", promise, found))
	}
}

// lacking is what a text was, or why there is none, where it has not a part; "" where it has.
func lacking(text string, err error, part string) string {
	if err == nil && strings.Contains(text, part) {
		return ""
	}
	return fmt.Sprintf("%.300q (%v)", text, err)
}

// shows wants a text on the page.
func (e *ending) shows(ctx context.Context, text string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.page, http.NoBody)
	shown := ""
	if err == nil {
		shown, err = fetched(req)
	}
	e.keep(fmt.Sprintf("the page shows %q", text), lacking(shown, err, text))
}

// presses is a press of a button: it wants to be told of it on the page that follows.
func (e *ending) presses(ctx context.Context, trick string) {
	form := url.Values{"trick": {trick}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.page+"world", strings.NewReader(form))
	shown := ""
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		shown, err = fetched(req)
	}
	say("the button %s is pressed", trick)
	e.keep("the button "+trick+" does what it says", lacking(shown, err, "Done: "))
}

// fetched is the page that comes of a request.
func fetched(req *http.Request) (string, error) {
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, text)
	}
	return string(text), err
}

// comes waits until the rollout is like that.
func (e *ending) comes(ctx context.Context, what string, is func(*v1alpha1.CloudRunRollout) bool) {
	err := until(ctx, what, actLimit, func() (bool, error) {
		ro, err := e.watch.look(ctx)
		return err == nil && is(ro), err
	})
	found := ""
	if err != nil {
		found = fmt.Sprintf("%v; %s", err, e.watch.last)
	}
	e.keep("there is "+what, found)
}

// says runs a command in a shell, after the line that the demo prints for it, and wants it
// to say all of some texts. One that goes on by itself is ended then.
func (e *ending) says(ctx context.Context, command string, texts ...string) {
	ctx, stop := context.WithTimeout(ctx, actLimit)
	defer stop()
	said := &hearing{texts: texts, all: stop}
	cmd := exec.CommandContext(ctx, "sh", "-c", e.export()+"; exec "+command)
	cmd.Stdout, cmd.Stderr = said, said
	say("%s", command)
	err := cmd.Run()
	found := ""
	if !said.heard() {
		found = fmt.Sprintf("%s (%v)", said, err)
	}
	e.keep(fmt.Sprintf("%s says %q", command, texts), found)
}

// hearing is what a command says, until it has said all that is wanted.
type hearing struct {
	mu    sync.Mutex
	text  bytes.Buffer
	texts []string
	all   func()
}

// Write implements io.Writer.
func (h *hearing) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text.Write(p)
	if h.complete() {
		h.all()
	}
	return len(p), nil
}

func (h *hearing) complete() bool {
	for _, text := range h.texts {
		if !strings.Contains(strings.Join(strings.Fields(h.text.String()), " "), strings.TrimSpace(text)) {
			return false
		}
	}
	return true
}

func (h *hearing) heard() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.complete()
}

// String is all that was said.
func (h *hearing) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}
