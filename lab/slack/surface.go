package slack

// surface is where blocks are shown. It decides how many and which ones may stand there, and where a refusal points.
type surface int

const (
	onMessage surface = iota
	onModal
	onHome
)

func (on surface) maxBlocks() int {
	if on == onMessage {
		return 50
	}
	return 100
}

// kinds are the blocks that may stand on the surface.
func (on surface) kinds() []string {
	everywhere := []string{"actions", "context", "divider", "header", "image", "input", "rich_text", "section"}
	if on != onMessage {
		return everywhere
	}
	return append(everywhere, "context_actions", "data_visualization", "file", "markdown", "table")
}

// root is the JSON pointer of the list of blocks in a call's arguments.
func (on surface) root() string {
	if on == onMessage {
		return "/blocks"
	}
	return "/view/blocks"
}

// refusal is the error code of blocks that are not as they must be.
func (on surface) refusal() string {
	if on == onMessage {
		return "invalid_blocks"
	}
	return "invalid_arguments"
}
