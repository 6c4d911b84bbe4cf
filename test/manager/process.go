package manager

import (
	"fmt"
	"io"
	"os"
	"os/exec"
)

// Process is a manager that runs.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// New prepares a process of a binary. What it says goes to said. It lives until
// [Process.Kill], not as long as a context.
func New(binary string, args []string, said io.Writer, env ...string) *Process {
	cmd := exec.Command(binary, args...) //nolint:noctx // ended by Kill, not by a context
	cmd.Stdout, cmd.Stderr = said, said
	cmd.Env = append(os.Environ(), env...)
	return &Process{cmd, make(chan struct{})}
}

// Start starts it.
func (p *Process) Start() error {
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("starting the manager: %w", err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	return nil
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Signal sends a signal.
func (p *Process) Signal(signal os.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil {
		return fmt.Errorf("sending %s to the manager: %w", signal, err)
	}
	return nil
}

// Kill sends SIGKILL and waits until the process is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}
