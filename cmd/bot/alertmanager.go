package main

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"tandem/config"
	"tandem/i18n"
	"tandem/watches/alertmanager"
)

// newAlerts opens the address where Alertmanager sends alerts to.
func newAlerts(ctx context.Context, c *config.Config, l *lasting, services []string, registry prometheus.Registerer, log *slog.Logger) (*served, error) {
	a := c.Alertmanager
	if a == nil {
		return nil, nil
	}
	if _, err := a.BearerToken.Read(); err != nil {
		return nil, &setupError{err}
	}
	answers := promauto.With(registry).NewCounterVec(prometheus.CounterOpts{
		Name: "tandem_alertmanager_requests_total", Help: "Requests to the webhook of Alertmanager by the status of the answer.",
	}, []string{"status"})
	receiver, err := alertmanager.New(alertmanager.Options{
		Token: func() (string, error) {
			token, err := a.BearerToken.Read()
			return token.Reveal(), err
		},
		Heard: l.watches.Heard, Channel: a.Channel, Lang: i18n.Lang(c.Language), Labels: a.ServiceLabels, Services: servicesOf(a),
		Known: services, Alerts: alertNames(a.Alerts), Log: log,
		Answered: func(status int) { answers.WithLabelValues(strconv.Itoa(status)).Inc() },
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(a.Path, receiver)
	return serveAt(ctx, "the webhook of Alertmanager", "alertmanager.listen", a.Listen, mux, log)
}

func servicesOf(a *config.Alertmanager) map[string]string {
	all := make(map[string]string, len(a.Services))
	for name, service := range a.Services {
		all[string(name)] = service
	}
	return all
}

// alertNames are expressions that the configuration was checked for.
func alertNames(list []string) []*regexp.Regexp {
	all := make([]*regexp.Regexp, 0, len(list))
	for _, one := range list {
		all = append(all, regexp.MustCompile(one))
	}
	return all
}
