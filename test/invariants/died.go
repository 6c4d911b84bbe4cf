package invariants

// untold is what was known before a process read the service, while it has saved nothing
// since.
type untold struct {
	by    string // "" while everything that was read is told
	known Split
	read  *Read
}

// learnUntold notes that a read goes with its reader, until that saves what it makes of it.
func (p *past) learnUntold(r Read) {
	if p.untold.by != r.By {
		p.untold = untold{r.By, p.known, p.read}
	}
}

// tells notes that whoever saves a status has told what it read.
func (p *past) tells(s Saved) {
	if p.untold.by == s.By {
		p.untold = untold{}
	}
}

// learnDied forgets what nobody has read who is there still, and no status tells.
func (p *past) learnDied(e Died) {
	if p.untold.by == e.By {
		p.known, p.read, p.untold = p.untold.known, p.untold.read, untold{}
	}
}
