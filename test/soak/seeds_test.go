package soak_test

import (
	"strconv"
	"testing"

	"github.com/sluice-rollouts/sluice/test/soak"
)

// once are seeds that broke a rule, by a mistake of Sluice or of the judge, and what there
// was where docs/reliability.md tells it.
var once = map[uint64]string{
	2044: "", 2273: "", 2388: "", 3533: "", 5509: "", 5607: "", 6263: "", 6621: "", 7731: "", 7977: "", 13560: "", 30200: "",
	109688: "LATEST was a revision that is gone, and the world let another one serve",
	137626: "the same, of a rollout that was deleted",
	179821: "a process stood still between its read and a rise, and stable lost its readiness meanwhile",
	94701:  "a person moved traffic during a way back, and resume went on with its attempt",
	52125:  "the same, where the first write had not arrived",
	112317: "the same, where the way back had been sent again",
	76081:  "a late rise was to be taken back by an object that could not know it was given up",
	173741: "the same, of an attempt that a status put back knew nothing of",
	100984: "a name put on what a stale read showed was taken for a rise",
	98245:  "a stale read of what LATEST had stood for was taken for a change of the baseline",
	103163: "so was the baseline in the claim of an object that came after the one that was put back",
	46268:  "the claim of a write whose status was taken away was taken for an empty one",
	1854:   "a write that arrived while writes were refused began no cool-down",
	6219:   "a step of an attempt that was taken up passed though its gate was closed",
	14128:  "etcd was put back to the end of an attempt while the first write of the next one was on its way",
	36472:  "what Git still wants was forgotten by whoever could not read the revision that was given up",
	76951:  "a write that was held up arrived just before what rested was watched",
	21583:  "a late rise was to be taken back where stable was gone",
	22576:  "five revisions were looked at every five seconds",
	22888:  "etcd was put back to the last step of an attempt that was complete",
	65015:  "a split of somebody else's came and went while reads failed",
	75156:  "etcd was put back to before an answer, and the pause was one of the attempt before",
	86079:  "a person gave stable everything while we were about to",
	124590: "a person gave stable everything while the service could not be found",
	145559: "a write that was sent again was not the newest that the status announced",
	147782: "an answer that was lost was taken for one that was read",
	204305: "a stale answer showed an attempt of before one that no status told of any more",
	65526:  "a person moved everything as an attempt was completed, and no cool-down began",
	50969:  "the same, from one revision that nobody saw to another",
	46300:  "a person named what had taken over beside the candidate, and no cool-down began",
	161179: "a cool-down was wanted of traffic that came and went while reads failed",
	65231:  "a process that stood still sent the way back that it had announced, and the object was gone",
	164545: "a split was pinned in a freeze as somebody took it away",
	228282: "the same, of a way back",
	33396:  "etcd was put back to before our tag moved, and a person's tag was where it had been",
	48838:  "the same, where a person moved traffic before anybody saw our write",
	68357:  "a status was lost, and spec.stableRevision of before it took a person's tag along",
	348917: "the same name gave a candidate everything that had been given up",
	191039: "Cloud Run said that stable was gone, and it was sent everything",
	86697:  "a stable that was gone was sent everything, which nobody could know",
	141883: "the same, where etcd had forgotten who was told",
	143997: "the same, of a process that stood still",
	248811: "a resume went on with what a rollout that was gone had given up",
	262215: "the status that ended the last step answered an approve as well",
	309326: "a live read was older than the list before it, and a person's split went unseen",
	304764: "stable was gone and could not be read, and Cloud Run said so",
	311617: "a rise was counted from what served, and rested on a read of before",
	316791: "a way back for another candidate was taken for one that tries the same again",
	321832: "etcd was put back to before a write, and Cloud Run answered as it was then",
	334344: "LATEST was pinned to a revision that could not be read, and was gone",
	343283: "etcd was put back, and a status of before it was stored, because its version came again",
	355804: "a bake that was taken up was dated by when that was saved, not decided",
	357492: "a process that stood still was to know what another one had told meanwhile",
	361488: "what was pinned was written again as a person took it back, and etags were ignored",
	366474: "stable was deleted at rest beside a revision that is not ready",
	401396: "a first write arrived unseen, and its way back began no cool-down",
	418694: "somebody's split came and went unseen after the candidate had gone back to be tried again",
	445971: "a person moved traffic at rest, and was taken to have ended an attempt",
	447584: "an object that was just made wrote again what an answer of the past said, and etags were ignored",
	455400: "etcd was put back to before a person's split, which they took back at that moment",
	477942: "what nobody saw serve went back minutes later, and began no cool-down",
	486045: "spec.stableRevision named a revision that was gone",
	493309: "a part of a second decided by whose clock a minute counted",
	210956: "what the claim of a later object asks for did not serve yet",
	193261: "the claim of a later object was on its way when an object of before it was put back",
	593673: "an edit at rest was answered from a list of half a minute before",
	574290: "etcd forgot a retry whose attempt the claim tells of",
	416589: "a claim of an object that is gone was taken up one look after its split was taken for the baseline",
	390831: "an object was made anew, and its claim was not shown yet",
	350740: "a step was promoted that had been taken up on its way",
	311076: "a promote was put back that a claim of before could not tell of",
	289923: "the stable of a claim was not read before it was taken up, and could not be when it mattered",
	8003:   "a person set again what the claim says, and a guarded pause took it up",
	31652:  "a change was done just before what rested was watched",
	551098: "who stood still had not heard of a freeze",
	550025: "what a person took from a candidate came back before it was stable",
	508928: "a part of a second decided, with a slow clock, which minute was the first",
	527628: "a person had set again what the claim on the service says",
	509430: "a person had lowered a candidate after the status that etcd put back",
	509017: "what a process had read went with it",
	518186: "a service came back that did not serve yet what was asked for",
	504734: "a rise of a retry landed that etcd had forgotten",
	533163: "a person moved traffic just before the status that ended the last step was saved",
	609494: "a status was lost, and the claim that says what was given up was not shown yet",
	26567:  "a status that was lost met a tag of our name without any claim",
	47843:  "a view that went back to before a restore would list again, and was taken for up to date",
	56523:  "the same, where the object had been deleted and applied again",
	78235:  "stable was deleted at rest, could not be read, and was still told as what serves",
	119431: "stable was deleted at rest, and was still told as what serves",
	187413: "an object that etcd brought back was told what a list showed from before its last live read",
	192708: "a way back that was announced was to stay away where Cloud Run ignores etags, which nobody can see to",
	92963:  "a silent cache showed an object that was gone, and kept another one of its name waiting",
	102062: "a gateway's drops were late, and came between the minute's question and a decision",
	175205: "the same, where the decision was sent again",
	92664:  "a rise on a read of the past was taken for one from what served by then",
	213631: "the same, of the first write, which had arrived and was sent again",
	118547: "a promote came between a resume and the split that it brought back",
	220209: "a way back was wanted though stable failed as much as the candidate",
	112673: "a split of somebody else's came and went while reads failed, and the bake went on",
}

// onceInABurst are such seeds where a neighbour takes the gateway's last ports.
var onceInABurst = map[uint64]string{
	36763: "a bake that was taken up was dated by the look after that",
	38080: "a resume brought back what had served all the time",
	943:   "etcd was put back to before a bake that was then begun anew",
	1977:  "a clock that was behind did not know what one that is ahead does",
	7058:  "a refused rise was taken for the end of a bake",
	7210:  "the status of an attempt that was taken up was put back",
	7297:  "errors of a candidate could be seen only when it was stable",
	26641: "a way back that gave nothing up was put back",
	28249: "clocks that were apart began a bake with different minutes",
	29369: "a view that went back to before a restore never listed again",
}

// onceKept are such seeds where Config Connector keeps the service.
var onceKept = map[uint64]string{
	54:     "a stale read of a split that a RunService asked for again was taken for untrue",
	1226:   "after a refused write the status told what had served before",
	2466:   "the same, where the candidate was given everything",
	11209:  "etcd was put back twice, and what the second backup says served since the first",
	11622:  "LATEST that a backup brought back was there already",
	4245:   "LATEST that somebody had set in spec was taken for another split once it was carried out",
	4576:   "what a stale answer had shown was not known of a write that announced it",
	5055:   "a split of ours that a backup brought back had been somebody else's before",
	6326:   "what a stale answer had shown was held against a write that is not compared with it",
	6300:   "a write that was held up arrived just before what rested was watched",
	7878:   "a RunService was written a minute after its decision was saved, because reading it again took that long",
	3490:   "a foreign split that Config Connector never carried out was taken for a loss of traffic",
	7716:   "a promote that a backup brought back was carried out again, and was taken for a rise that nobody asked for",
	702055: "a backup brought back a RunService without traffic, and our tag was taken for somebody else's",
	707448: "a way back that its RunService said already did not end",
}

// TestSeedsThatBrokeARuleOnceWithConfigConnector plays them again.
func TestSeedsThatBrokeARuleOnceWithConfigConnector(t *testing.T) {
	t.Parallel()
	playAgain(t, onceKept, soak.WriteKept)
}

// TestSeedsThatBrokeARuleOnceInABurst plays them again.
func TestSeedsThatBrokeARuleOnceInABurst(t *testing.T) {
	t.Parallel()
	playAgain(t, onceInABurst, soak.WriteBurst)
}

// TestSeedsThatBrokeARuleOnce plays them again: each was mended, and must pass. Where
// stories are made up in another way, these seeds are stories like any other.
func TestSeedsThatBrokeARuleOnce(t *testing.T) {
	t.Parallel()
	playAgain(t, once, soak.Write)
}

func playAgain(t *testing.T, seeds map[uint64]string, write func(seed uint64) soak.Script) {
	t.Helper()
	for seed, broke := range seeds {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			o, err := soak.Play(t.Context(), write(seed))
			if err != nil {
				t.Fatal(err)
			}
			if len(o.Violations) > 0 {
				t.Errorf("it broke a rule once (%s), and does again:\n%s", broke, soak.Tell(write(seed), o))
			}
		})
	}
}
