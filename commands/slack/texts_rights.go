package slack

// The ids of the texts about who may ask what, and about what Slack refuses.
const (
	textRefusedGuest       = "slack_refused_guest"
	textRefusedStranger    = "slack_refused_stranger"
	textRefusedDeactivated = "slack_refused_deactivated"
	textRefusedUnknown     = "slack_refused_unknown"
	textRefusedPeople      = "slack_refused_people"
	textRefusedPlace       = "slack_refused_place"
	textRefusedNobody      = "slack_refused_nobody"
	textRefusedRate        = "slack_refused_rate"
	textAnywhere           = "slack_anywhere"
	textDirect             = "slack_direct"
	textEveryone           = "slack_everyone"
	textGroupUnread        = "slack_group_unread"
	textNoThread           = "slack_no_thread"
	textThrottled          = "slack_throttled"
	textShutOut            = "slack_shut_out"
	textWhoMember          = "slack_who_member"
	textWhoLanguage        = "slack_who_language"
	textWhoGroups          = "slack_who_groups"
	textWhoMay             = "slack_who_may"
	textWhoAll             = "slack_who_all"
	textWhoLeft            = "slack_who_left"
)
