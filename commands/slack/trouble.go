package slack

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	slackgo "github.com/slack-go/slack"
)

// errorCode returns Slack's name of an error, like not_in_channel; empty for
// other errors.
func errorCode(err error) string {
	if refused, ok := errors.AsType[slackgo.SlackErrorResponse](err); ok {
		return refused.Err
	}
	return ""
}

// troubleCode names an error to a person who may pass it on.
func troubleCode(err error) string {
	if code := errorCode(err); code != "" {
		return code
	}
	if status, ok := errors.AsType[slackgo.StatusCodeError](err); ok {
		return "http_" + strconv.Itoa(status.Code)
	}
	if _, throttled := retryAfter(err); throttled {
		return "ratelimited"
	}
	return "no_answer"
}

// details are what Slack says beside the name of an error, like which block it
// dislikes.
func details(err error) []string {
	if refused, ok := errors.AsType[slackgo.SlackErrorResponse](err); ok {
		return refused.ResponseMetadata.Messages
	}
	return nil
}

// shutsOut says whether an error means that the bot token is valid no more.
func shutsOut(code string) bool {
	switch code {
	case "token_revoked", "token_expired", "account_inactive", "invalid_auth", "not_authed":
		return true
	}
	return false
}

// retryAfter says whether Slack throttles, and for how long.
func retryAfter(err error) (time.Duration, bool) {
	if limited, ok := errors.AsType[*slackgo.RateLimitedError](err); ok {
		return max(limited.RetryAfter, time.Second), true
	}
	if status, ok := errors.AsType[slackgo.StatusCodeError](err); ok && status.Code == http.StatusTooManyRequests {
		return throttledPause, true
	}
	switch errorCode(err) {
	case "ratelimited", "rate_limited":
		return throttledPause, true
	}
	return 0, false
}

// passing says whether trouble may be over a moment later: the network's, or
// Slack's own.
func passing(err error) bool {
	if status, ok := errors.AsType[slackgo.StatusCodeError](err); ok {
		return status.Code >= http.StatusInternalServerError
	}
	switch errorCode(err) {
	case "":
		return !errors.Is(err, context.Canceled)
	case "internal_error", "fatal_error", "service_unavailable", "request_timeout":
		return true
	}
	return false
}

// neverLets says whether Slack refuses the bot for a reason that only a person
// can change, and what that person can do.
func neverLets(err error) (next string, hopeless bool) {
	switch errorCode(err) {
	case "invalid_auth", "not_authed", "token_expired", "not_allowed_token_type":
		return "check slack.bot_token (xoxb-…) and slack.app_token (xapp-…), which the app's settings show", true
	case "account_inactive", "token_revoked":
		return "install the app in the workspace again and configure its new tokens", true
	case "missing_scope":
		return "the app token needs connections:write, the bot token commands, chat:write and users:read; install the app again after adding them", true
	case "team_access_not_granted", "org_login_required", "ekm_access_denied", "access_denied":
		return "ask an administrator of the workspace to approve the app", true
	}
	if status, ok := errors.AsType[slackgo.StatusCodeError](err); ok && status.Code == http.StatusNotFound {
		return "check slack.api_url: nothing answers there as Slack does", true
	}
	return "", false
}
