package approvals_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"tandem/approvals"
)

// A policy by which two people of @approvers agree to what @sre asks for.
func ExamplePolicy() {
	policy := approvals.Policy{
		Team: "T1",
		Risks: map[approvals.Risk]approvals.Rule{
			approvals.Medium: {
				Ask:       approvals.Who{Groups: []string{"S-sre"}},
				Approve:   approvals.Who{Groups: []string{"S-approvers"}},
				Quorum:    2,
				Reactions: true,
				Patience:  15 * time.Minute,
			},
		},
		People: map[string]string{"U-ana": "ana", "U-ana-admin": "ana"},
	}
	fmt.Println(len(policy.Risks), "risk is allowed; the others are not")
	// Output: 1 risk is allowed; the others are not
}

// Apply is pure: the same request and the same event give the same.
func ExampleApply() {
	now := time.Now()
	ana := approvals.Voter{ID: "U-ana", Keys: []string{"person:ana"}}
	again := approvals.Voter{ID: "U-ana-admin", Keys: []string{"person:ana"}}
	bruno := approvals.Voter{ID: "U-bruno", Keys: []string{"person:bruno"}}
	r := approvals.Request{
		State: approvals.Pending, Requester: ana, Expires: now.Add(time.Minute), Terms: approvals.Terms{Quorum: 1},
	}
	for _, voter := range []approvals.Voter{ana, again, bruno} {
		next, err := approvals.Apply(r, approvals.Voted{Vote: approvals.Vote{
			Voter: voter, Choice: approvals.Approve, Via: approvals.ByButton, At: now,
		}})
		var refusal *approvals.Refusal
		if errors.As(err, &refusal) {
			fmt.Println(voter.ID, refusal.Why)
			continue
		}
		fmt.Println(voter.ID, next.State)
	}
	// Output:
	// U-ana own_request
	// U-ana-admin own_request
	// U-bruno approved
}

// A face passes what people say to the service, and answers refusals.
func ExampleService_Vote() {
	var service *approvals.Service // made by New
	vote := func(ctx context.Context) {
		r, err := service.Vote(ctx, approvals.Ballot{
			Request: "k3v7q2m5x4aw", Card: "1700000000.000100", Channel: "C1", By: "U-bruno",
			Via: approvals.ByReaction, Choice: approvals.Approve,
		})
		var refusal *approvals.Refusal
		switch {
		case errors.As(err, &refusal):
			fmt.Println("tell the voter alone:", refusal.Why, refusal.Who)
		case err != nil:
			log.Print("the vote is not confirmed: ", err)
		default:
			fmt.Println("the vote is in the store:", r.State)
		}
	}
	_ = vote
}
