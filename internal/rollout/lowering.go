package rollout

// elsewhere is the percent of a split that revisions other than stable have; 0 of an
// empty split.
func (s Split) elsewhere(stable string) int64 {
	if len(s) == 0 {
		return 0
	}
	return 100 - s.Of(stable)
}

// elsewhere is what revisions other than stable serve. It is not known of a service
// that was not read, of one as it was in the past, where nothing serves yet, and
// without a stable.
func (v view) elsewhere(stable string) (percent int64, known bool) {
	known = v.Seen() && stable != "" && len(v.effective) > 0
	return v.effective.elsewhere(stable), known
}

// seesLowering begins the cool-down where stable is seen to have got traffic back,
// whoever gave it: what had that traffic has instances that idle on. A write that was
// sent counts from its decision, and once more from the look that sees it serve,
// because it may arrive minutes later. What a rise before it was to give may have served in
// between, without a look, until all is applied.
func (v view) seesLowering() view {
	before := v.was.Elsewhere
	if v.was.Phase == RollingBack && v.Service.settled() && !v.lowered() {
		before = max(before, v.was.meant())
	}
	if percent, known := v.elsewhere(v.was.Stable); known && percent < before {
		v.Progress.Lowered = v.Now
	}
	return v
}

// lowered tells whether the cool-down has begun since the newest write was decided.
func (v view) lowered() bool { return v.lastWriteBefore(v.was.Lowered.Add(-1)) }

// meant is the most that was asked for, or that the writes which are still remembered were to
// ask for, for others than stable.
func (p Progress) meant() int64 {
	most := p.Confirmed.elsewhere(p.Stable)
	for _, i := range p.Intents {
		most = max(most, i.Split.elsewhere(p.Stable))
	}
	return most
}

// remembersElsewhere keeps what the next look compares with.
func (v view) remembersElsewhere(p Progress) Progress {
	if percent, known := v.elsewhere(p.Stable); known {
		p.Elsewhere = percent
	}
	return p
}

// lowering begins the cool-down with a write that gives traffic back to stable: what is asked
// for, or what a write of ours whose fate is unknown may have asked for since.
func (v view) lowering(p Progress, split Split) Progress {
	most := v.desired.elsewhere(p.Stable)
	for _, i := range p.Intents {
		if !i.seen() {
			most = max(most, i.Split.elsewhere(p.Stable))
		}
	}
	if split.elsewhere(p.Stable) < most {
		p.Lowered = v.Now
	}
	return p
}
