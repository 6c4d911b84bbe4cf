package kcc

import (
	"fmt"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// Topic is what a finding is about.
type Topic string

// The topics, in the order in which findings are listed.
const (
	TrafficOwned    Topic = "TrafficOwned"    // another manager owns spec.traffic
	TrafficUnclear  Topic = "TrafficUnclear"  // spec.traffic lacks what Terraform needs
	BeingDeleted    Topic = "BeingDeleted"    // the RunService goes away, and may take the service along
	ActuationPaused Topic = "ActuationPaused" // Config Connector does nothing
	UpdateRefused   Topic = "UpdateRefused"   // its last update failed, and ours would be part of the next
	FollowsLatest   Topic = "FollowsLatest"   // a part of the traffic moves by itself
	LatestTagged    Topic = "LatestTagged"    // a tag follows LATEST, which no write of ours says
	MergesState     Topic = "MergesState"     // Config Connector writes into spec what is live
	RevisionNamed   Topic = "RevisionNamed"   // the next template will be refused
	SettingsUnread  Topic = "SettingsUnread"  // whether it is paused is not known
)

// Finding is something that a rollout should know before its first write.
type Finding struct {
	Topic Topic
	// Blocks tells that no rollout should begin. A way back is never blocked.
	Blocks bool
	// Text says what is so and what to do about it.
	Text string
}

// Sight is everything that a rollout of a RunService rests on: one look.
type Sight struct {
	RunService RunService
	Settings   Settings
	// Live is the service as Cloud Run shows it.
	Live rollout.Service
}

// kept is what the core is told of it beside the service.
func (s Sight) kept(now time.Time) rollout.Kept {
	kept := rollout.Kept{Waits: s.waits(), Stuck: s.stuck(now)}
	if _, applied := ours(s.RunService.Owners); applied && s.RunService.Unclear == "" {
		kept.Says = rollout.NewSplit(sums(s.RunService.Traffic))
	}
	for _, f := range Preflight(s) {
		switch {
		case f.Topic == TrafficOwned:
			kept.Owner = f.Text
		case f.Blocks:
			kept.Blocks = append(kept.Blocks, f.Text)
		default:
			kept.Notes = append(kept.Notes, f.Text)
		}
	}
	return kept
}

// waits says how far Config Connector is, or "" where it is through.
func (s Sight) waits() string {
	switch standing := s.RunService.Standing(); {
	case standing == Done:
		return ""
	case standing.open() && s.Settings.PausedBy != "":
		return "Config Connector is paused by " + s.Settings.PausedBy
	}
	return s.RunService.progress()
}

// passing is how long an update of Config Connector that fails may be one that succeeds when
// it is tried again: what Cloud Run answers while it is busy, or has no quota left.
const passing = 2 * time.Minute

// stuck says why Config Connector does not carry out what the RunService asks for, and
// probably will not before somebody does something; "" where it does, or may yet.
func (s Sight) stuck(now time.Time) string {
	switch standing := s.RunService.Standing(); {
	case standing.open() && s.Settings.PausedBy != "":
		return "Config Connector is paused by " + s.Settings.PausedBy
	case standing == Failed && now.Sub(s.RunService.Ready.Since) >= passing:
		return "its last update failed: " + strings.TrimSuffix(s.RunService.Ready.Message, ".")
	}
	return ""
}

// Preflight lists what stands in the way of a rollout, and what may surprise it.
func Preflight(s Sight) []Finding {
	r, managers := s.RunService, strangers(s.RunService.Owners)
	var found []Finding
	for _, c := range []struct {
		so bool
		Finding
	}{
		{len(managers) > 0, Finding{TrafficOwned, true, ownedText(r, managers)}},
		// Otherwise the next write replaces it.
		{len(managers) > 0 && r.Unclear != "", Finding{TrafficUnclear, true, fmt.Sprintf("%s of %s", r.Unclear, r)}},
		{r.Deleting, Finding{BeingDeleted, true, fmt.Sprintf(
			"%s is being deleted; unless its deletion-policy is abandon, the service goes with it", r)}},
		{s.Settings.PausedBy != "", Finding{ActuationPaused, true, fmt.Sprintf(
			"Config Connector is paused by %s: nothing that is written to %s takes effect", s.Settings.PausedBy, r)}},
		{r.Standing() == Failed, Finding{UpdateRefused, true, fmt.Sprintf(
			"the last update of %s failed, and each one is sent whole, traffic and template: %s", r, r.Ready.Message)}},
		{follows(r.Traffic) || follows(s.Live.Desired), Finding{
			FollowsLatest, false,
			"a part of the traffic follows LATEST, and moves to every new revision by itself until it is pinned",
		}},
		{tagsLatest(r.Traffic) || tagsLatest(s.Live.Desired), Finding{
			LatestTagged, true,
			"a tag follows LATEST, which is never written to a RunService: move it to a revision, or remove it",
		}},
		{s.Settings.Merges, Finding{MergesState, false, fmt.Sprintf(
			"Config Connector writes live state into %s and may take spec.traffic over; the annotation %s: absent keeps it from that", r, stateIntoSpec)}},
		{s.Live.TemplateRevision != "" && r.TemplateRevision == "", Finding{RevisionNamed, false, fmt.Sprintf(
			"the live template names revision %s and %s does not: the next change of its template is refused because that revision exists; "+
				"write a new spec.template.revision with each change", google.Clean(s.Live.TemplateRevision), r)}},
		{s.Settings.Unread != "", Finding{SettingsUnread, false, "whether Config Connector is paused is not known: " + s.Settings.Unread}},
	} {
		if c.so {
			found = append(found, c.Finding)
		}
	}
	return found
}
