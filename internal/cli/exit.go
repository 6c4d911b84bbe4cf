package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-rollouts/sluice/internal/standing"
)

// The exit codes of all commands. A pipeline can rely on them.
const (
	// ExitDone: what was asked for is so. Of status: completed, or nothing to do.
	ExitDone = 0
	// ExitFailed: it is not. Of status: rolled back, or stuck; of a verb: refused; of
	// lint: not valid. Also any other error, but of status.
	ExitFailed = 1
	// ExitUsage: the command line cannot be understood.
	ExitUsage = 2
	// ExitPerson: the rollout waits for a person.
	ExitPerson = 3
	// ExitSuperseded: a newer revision took the place of the one waited for.
	ExitSuperseded = 4
	// ExitUnread: of status, it could not be read how the rollout stands: there is none of
	// that name, or nobody answers.
	ExitUnread = 5
	// ExitTimeout: it was still under way when the time was over.
	ExitTimeout = 124
	// ExitInterrupted: the command was interrupted, as shells number it.
	ExitInterrupted = 130
	// ExitPipe: whoever read what it printed stopped reading, as shells number it.
	ExitPipe = 141
)

// exitOf is the exit code of an outcome.
func exitOf(o standing.Outcome) int {
	switch o {
	case standing.Done:
		return ExitDone
	case standing.Failed:
		return ExitFailed
	case standing.Waits:
		return ExitPerson
	case standing.Superseded:
		return ExitSuperseded
	case standing.UnderWay:
	}
	return ExitTimeout
}

// exit is an error with the code to exit with.
type exit struct {
	code int
	error
}

func (e exit) Unwrap() error { return e.error }

// usagef is a mistake in the command line.
func usagef(format string, args ...any) error {
	return exit{ExitUsage, fmt.Errorf(format, args...)}
}

// unread makes an error one of a status that could not be read, which must not be taken
// for a rollback. One that has a code keeps it.
func unread(err error) error {
	if codeOf(err) != ExitFailed || errors.Is(err, errSaid) {
		return err
	}
	return exit{ExitUnread, err}
}

// said is an exit code whose reason was printed already.
func said(code int) error {
	if code == ExitDone {
		return nil
	}
	return exit{code, errSaid}
}

// exitAfter is an exit code whose reason was printed, unless that failed.
func exitAfter(printing error, code int) error {
	if printing != nil {
		return printing
	}
	return said(code)
}

var (
	errSaid = errors.New("said above")
	// errUnheard ends what is printed for somebody who stopped reading, without a word.
	errUnheard = exit{ExitPipe, errSaid}
)

// codeOf is the code to exit with after an error, or none.
func codeOf(err error) int {
	var coded exit
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &coded):
		return coded.code
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	}
	return ExitFailed
}
