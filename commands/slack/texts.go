package slack

import "embed"

// locales are the texts that only this face has.
//
//go:embed locales
var locales embed.FS

// The ids of this face's own texts; a test holds them against the files.
const (
	textAlsoAsked       = "slack_also_asked"
	textButtonAgain     = "slack_button_again"
	textButtonEvidence  = "slack_button_evidence"
	textButtonFix       = "slack_button_fix"
	textButtonFresh     = "slack_button_fresh"
	textJoined          = "slack_joined"
	textJoinedCard      = "slack_joined_card"
	textJoinedEnded     = "slack_joined_ended"
	textJoinedRun       = "slack_joined_run"
	textSoFar           = "slack_so_far"
	textAskedBy         = "slack_asked_by"
	textBusy            = "slack_busy"
	textColumnCheck     = "slack_column_check"
	textColumnStatus    = "slack_column_status"
	textColumnTitle     = "slack_column_title"
	textFlood           = "slack_flood"
	textCut             = "slack_cut"
	textEvidenceBelow   = "slack_evidence_below"
	textEvidenceLeftOut = "slack_evidence_left_out"
	textHello           = "slack_hello"
	textInvite          = "slack_invite"
	textArchived        = "slack_archived"
	textRestricted      = "slack_restricted"
	textNoScope         = "slack_no_scope"
	textRefused         = "slack_refused"
	textMore            = "slack_more"
	textMoreRows        = "slack_more_rows"
	textOtherCommand    = "slack_other_command"
	textPageCut         = "slack_page_cut"
	textTooSlow         = "slack_too_slow"
	textRun             = "slack_run"
	textSameEvidence    = "slack_same_evidence"
)
