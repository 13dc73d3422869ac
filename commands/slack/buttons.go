package slack

import (
	slackgo "github.com/slack-go/slack"

	"tandem/commands"
)

// The buttons that the bot draws, by their action ids: no two of a message or a
// view may have the same, so that a slash and a number may follow. Values are
// what a person could type, or the id of a run.
const (
	actionAgain    = "again"    // value: the text of a command
	actionEvidence = "evidence" // value: a run
	actionFix      = "fix"      // value: a run
	actionDirect   = "direct"   // value: the text of a command, to be answered in a direct message
	actionRefresh  = "refresh"  // draws the Home tab anew
	actionApprove  = "approve"  // value: a request
	actionDeny     = "deny"     // value: a request
	actionCancel   = "cancel"   // value: a request
	actionDryRun   = "dry-run"  // value: a request
	actionAsk      = "ask"      // value: a wantedRemedy
)

// drawButtons is what one can do about a verdict.
func drawButtons(card commands.Card, notes cardNotes, w commands.Words) slackgo.Block {
	var buttons []slackgo.BlockElement
	if hasFix(card) {
		buttons = append(buttons, button(actionFix, notes.run, w.Say(textButtonFix)).WithStyle(slackgo.StylePrimary))
	}
	buttons = append(buttons, button(actionEvidence, notes.run, w.Say(textButtonEvidence)))
	if size(notes.again) <= maxValue {
		buttons = append(buttons, button(actionAgain, notes.again, w.Say(textButtonAgain)))
	}
	return slackgo.NewActionBlock("card", buttons...)
}

func button(action, value, text string) *slackgo.ButtonBlockElement {
	return slackgo.NewButtonBlockElement(action, value, literal(fit(text, maxButton, ellipsis, plain)))
}

// hasFix says whether the report names anything that somebody could do.
func hasFix(card commands.Card) bool {
	for _, c := range card.Causes {
		if c.Remedy != "" {
			return true
		}
	}
	for _, b := range card.Unseen {
		if b.Next != "" {
			return true
		}
	}
	return len(card.Causes) > 0
}
