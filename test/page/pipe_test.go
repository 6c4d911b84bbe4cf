package page

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"testing"
)

// tab is a page in a browser of its own that is driven through a pipe, as the Chrome
// DevTools Protocol has it: messages in JSON, each ended by a zero byte.
type tab struct {
	t       *testing.T
	write   *os.File
	read    *bufio.Reader
	session string
	id      int
	seen    map[string]bool // events that came
}

// message is a command, its result, or an event.
type message struct {
	ID        int             `json:"id,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    any             `json:"params,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     json.RawMessage `json:"error,omitempty"`
}

// newTab starts a browser with an empty page. Both end with the test.
func newTab(t *testing.T) *tab {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	theirs, ours := pipe(t)
	answers, said := pipe(t)
	cmd := chromium(ctx, t, "about:blank", "--remote-debugging-pipe")
	cmd.ExtraFiles = []*os.File{theirs, said} // 3 and 4
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = theirs.Close()
	_ = said.Close()
	p := &tab{t: t, write: ours, read: bufio.NewReader(answers), seen: map[string]bool{}}
	t.Cleanup(func() {
		_ = ours.Close() // a browser whose pipe is closed ends by itself, with all its processes
		_ = cmd.Wait()
		cancel()
	})
	var made struct{ TargetID, SessionID string }
	p.call("Target.createTarget", map[string]any{"url": "about:blank"}, &made)
	p.call("Target.attachToTarget", map[string]any{"targetId": made.TargetID, "flatten": true}, &made)
	p.session = made.SessionID
	p.call("Page.enable", nil, nil)
	return p
}

func pipe(t *testing.T) (read, write *os.File) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = read.Close(), write.Close() })
	return read, write
}

// call sends a command and waits for its result.
func (p *tab) call(method string, params, result any) {
	p.t.Helper()
	p.id++
	text, err := json.Marshal(message{ID: p.id, Method: method, Params: params, SessionID: p.session})
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.write.Write(append(text, 0)); err != nil {
		p.t.Fatalf("%s: %v", method, err)
	}
	for {
		m := p.next()
		switch {
		case m.ID != p.id:
			continue
		case m.Error != nil:
			p.t.Fatalf("%s: %s", method, m.Error)
		case result != nil:
			if err := json.Unmarshal(m.Result, result); err != nil {
				p.t.Fatalf("%s: %v in %s", method, err, m.Result)
			}
		}
		return
	}
}

// next is the next message.
func (p *tab) next() message {
	p.t.Helper()
	text, err := p.read.ReadBytes(0)
	if err != nil {
		p.t.Fatal("the browser ended: ", err)
	}
	var m message
	if err := json.Unmarshal(bytes.TrimSuffix(text, []byte{0}), &m); err != nil {
		p.t.Fatalf("%v in %s", err, text)
	}
	p.seen[m.Method] = true
	return m
}

// open loads a page and returns what the browser made of it.
func (p *tab) open(url string) dom {
	p.t.Helper()
	clear(p.seen)
	p.call("Page.navigate", map[string]any{"url": url}, nil)
	for !p.seen["Page.loadEventFired"] {
		p.next()
	}
	var made struct{ OuterHTML string }
	p.call("DOM.getOuterHTML", map[string]any{"nodeId": p.find("html")}, &made)
	return dom{p.t, made.OuterHTML}
}

// find is an element of the page; 0 where there is none.
func (p *tab) find(selector string) int {
	p.t.Helper()
	var document struct{ Root struct{ NodeID int } }
	p.call("DOM.getDocument", nil, &document)
	var found struct{ NodeID int }
	p.call("DOM.querySelector", map[string]any{"nodeId": document.Root.NodeID, "selector": selector}, &found)
	return found.NodeID
}

// TestThePageSaysTheSameWithoutScripts to the letter, and loads itself anew: in a browser
// that runs none, what stands in for them is a part of the page.
func TestThePageSaysTheSameWithoutScripts(t *testing.T) {
	t.Parallel()
	browser(t)
	w := read(t)
	url := serve(t, w)
	p := newTab(t)
	const renewal, note = `head > noscript > meta[http-equiv="refresh"][content="15"]`, `noscript > p.note > a[href=""]`
	p.open(url + "/")
	if p.find(renewal) != 0 || p.find(note) != 0 {
		t.Error("with scripts it loads itself anew as if there were none")
	}
	p.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	for i := range w {
		name := w[i].Namespace + "/" + w[i].Name
		for _, wrong := range disagreements(p.open(url+"/rollouts/"+name), &w[i]) {
			t.Errorf("%s: %s", name, wrong)
		}
		if p.find(renewal) == 0 || p.find(note) == 0 {
			t.Errorf("%s: nothing stands in for the scripts", name)
		}
	}
}
