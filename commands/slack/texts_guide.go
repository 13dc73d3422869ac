package slack

// The ids of the texts about what is read for people.
const (
	textReading        = "slack_reading"
	textReadingBelow   = "slack_reading_below"
	textReadingCut     = "slack_reading_cut"
	textReadingUnfiled = "slack_reading_unfiled"
)
