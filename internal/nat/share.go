package nat

import "time"

// Claim is one rollout's wish to take a step behind a gateway.
type Claim struct {
	// ID tells claims apart, and is never shown.
	ID string
	// Since when the rollout has waited for this step, or has taken it.
	Since time.Time
	// Ports that it may still take, from its [Forecast].
	Ports int64
	// Hot: its step has been taken and no complete evidence of the gateway has
	// followed.
	Hot bool
	// Back: it goes back, and waits for nobody.
	Back bool
}

// Turn is whether a rollout may take its step.
type Turn struct {
	Go bool
	// Why it waits, in one clause that names nobody.
	Why string
}

// WhoseTurn tells whether the rollout with an ID may take its step. One hot step
// at a time, unless the headroom covers them all; the oldest first, then the
// least ID. One that does not fit alone keeps nobody else waiting. Claims of
// rollouts that no longer exist must not be given.
func WhoseTurn(g Gateway, p Policy, claims []Claim, id string) Turn {
	return Turn{}
}
