package approvals

import (
	"context"
	"errors"
	"strconv"
)

// Ballot is a vote as it came.
type Ballot struct {
	Request string
	Card    string // ts of the message voted on; empty for commands
	Channel string // where it was said
	By      string // account
	Via     Via
	Choice  Choice
	Reason  string
}

// Vote judges and counts a vote. When it returns a request, the vote is in the
// store. Errors are a *Refusal, which is audited, ErrNotFound or the store's.
func (s *Service) Vote(ctx context.Context, b Ballot) (Request, error) {
	b.Reason = tidy(b.Reason)
	r, err := s.vote(ctx, b)
	if err != nil {
		return Request{}, s.refuseVote(ctx, err, r, b)
	}
	faultpoint(FaultVoted)
	return r, nil
}

func (s *Service) vote(ctx context.Context, b Ballot) (Request, error) {
	r, err := s.opts.Store.Request(ctx, b.Request)
	if err != nil {
		return Request{}, err
	}
	voter, err := s.admit(ctx, r, b)
	if err != nil {
		return r, err
	}
	after, err := s.change(ctx, b.Request, func(r Request) (Change, error) { return s.count(r, b, voter) })
	if err != nil {
		return r, err
	}
	return after, nil
}

// admit judges a vote before it waits for its turn: the directory may be slow.
func (s *Service) admit(ctx context.Context, r Request, b Ballot) (Voter, error) {
	if r.stands(b) {
		return Voter{}, nil
	}
	if err := b.onCard(r); err != nil {
		return Voter{}, err
	}
	if r.State != Pending || overdue(r, s.now()) {
		return Voter{}, notPending(r)
	}
	if b.Choice != Deny && r.Card.TS == "" {
		return Voter{}, &Refusal{Why: WhyUnseen}
	}
	voter, err := s.judgeVoter(ctx, r, b.By, b.Choice)
	if err != nil {
		return voter, err
	}
	return voter, s.reviewable(ctx, r, b)
}

// count adds a judged vote to the request as it is now.
func (s *Service) count(r Request, b Ballot, voter Voter) (Change, error) {
	if r.stands(b) {
		return Change{}, nil
	}
	if err := b.onCard(r); err != nil {
		return Change{}, err
	}
	next, err := Apply(r, Voted{Vote{Voter: voter, Choice: b.Choice, Via: b.Via, Card: b.Card, Reason: b.Reason, At: s.now()}})
	if err != nil {
		return Change{}, err
	}
	n := s.note(next, DeedVoted, tally(next, map[string]string{KeyChoice: string(b.Choice), KeyReason: b.Reason}))
	return Change{Request: &next, Notes: []Note{n.by(b.By, b.Via, b.Channel)}, Jobs: following(next)}, nil
}

func tally(r Request, detail map[string]string) map[string]string {
	detail[KeyApprovals] = strconv.Itoa(len(r.Approvals()))
	detail[KeyQuorum] = strconv.Itoa(max(1, r.Terms.Quorum))
	return detail
}

// following are the jobs that a changed request needs.
func following(r Request) []Job {
	jobs := []Job{{Kind: JobShow, Request: r.ID}}
	if r.State == Approved {
		jobs = append(jobs, Job{Kind: JobExecute, Request: r.ID}, Job{Kind: JobExpire, Request: r.ID, At: r.Expires})
	}
	return jobs
}

// stands says whether the same vote stands already. One by button is more than
// one by reaction, which is taken back with the reaction.
func (r Request) stands(b Ballot) bool {
	for _, v := range r.Votes {
		if v.ID == b.By && v.Choice == b.Choice {
			return r.State != Pending || v.Via != ByReaction || b.Via == ByReaction
		}
	}
	return false
}

// onCard refuses a vote on a message that is not the card.
func (b Ballot) onCard(r Request) error {
	if b.Via == ByCommand && b.Card == "" || b.at(r.Card) {
		return nil
	}
	return &Refusal{Why: WhyOldCard}
}

func (b Ballot) at(c Card) bool { return b.Card != "" && b.Card == c.TS && b.Channel == c.Channel }

// reviewable refuses to approve of what has not come to its end.
func (s *Service) reviewable(ctx context.Context, r Request, b Ballot) error {
	if r.Reviews == "" || b.Choice != Approve {
		return nil
	}
	reviewed, err := s.opts.Store.Request(ctx, r.Reviews)
	if err != nil {
		return err
	}
	if !reviewed.State.Ended() {
		return &Refusal{Why: WhyUnderWay, Detail: same(reviewed.ID)}
	}
	return nil
}

func (s *Service) refuseVote(ctx context.Context, err error, r Request, b Ballot) error {
	detail := map[string]string{KeyChoice: string(b.Choice), KeyReason: b.Reason}
	what := refused{what: "vote", by: b.By, via: b.Via, channel: b.Channel, request: r, detail: detail}
	if !errors.Is(err, ErrNotFound) {
		return s.refuse(ctx, err, what)
	}
	detail[KeyDetail] = "there is no request " + tidy(b.Request)
	if audited := s.refuse(ctx, &Refusal{Why: WhyNotPending}, what); !isRefusal(audited) {
		return audited
	}
	return err
}

// Withdraw takes a vote by reaction back. One that does not stand is no error.
func (s *Service) Withdraw(ctx context.Context, b Ballot) (Request, error) {
	return s.change(ctx, b.Request, func(r Request) (Change, error) {
		if r.State != Pending || !r.standsByReaction(b) || !b.at(r.Card) {
			return Change{}, nil
		}
		next, err := Apply(r, Withdrawn{ID: b.By, At: s.now()})
		if err != nil {
			return Change{}, err
		}
		n := s.note(next, DeedWithdrawn, tally(next, map[string]string{KeyChoice: string(b.Choice)}))
		return Change{Request: &next, Notes: []Note{n.by(b.By, b.Via, b.Channel)}, Jobs: following(next)}, nil
	})
}

func (r Request) standsByReaction(b Ballot) bool {
	for _, v := range r.Votes {
		if v.ID == b.By && v.Choice == b.Choice && v.Via == ByReaction {
			return true
		}
	}
	return false
}
