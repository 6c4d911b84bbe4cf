package manager

import (
	"bytes"
	"strings"
	"sync"
)

const tailBytes = 8 << 10

// Tail keeps the last lines that managers wrote. It is an io.Writer.
type Tail struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = bytes.Clone(t.text[max(0, len(t.text)-tailBytes):])
	return len(p), nil
}

// String is what the managers said last.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return "the managers said last:\n" + strings.TrimSpace(string(t.text))
}
