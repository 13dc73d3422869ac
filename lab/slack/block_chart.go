package slack

import (
	"encoding/json"
	"fmt"
	"slices"
)

const (
	maxChartTitle  = 50
	maxChartLabel  = 20
	maxChartPoints = 20
	maxChartSeries = 6
)

// chartBlockShape is the block data_visualization.
func chartBlockShape() shape {
	return shape{also(fewCharts), must("title", said(1, maxChartTitle)), must("chart", one(chartShape))}
}

func fewCharts(c *blockCheck, path string, _ any) {
	c.charts++
	if c.charts > maxCharts {
		c.wrong(path, "no more than %d data_visualization blocks allowed", maxCharts)
	}
}

func chartShape(kind string) (shape, bool) {
	label := said(1, maxChartLabel)
	switch kind {
	case "pie":
		segment := shape{must("label", label), must("value", positive)}
		return shape{must("segments", listOf(1, maxChartSeries, anObject(segment)))}, true
	case "bar", "area", "line":
		point := shape{must("label", label), must("value", number)}
		series := shape{must("name", label), must("data", listOf(1, maxChartPoints, anObject(point)))}
		axes := shape{
			must("categories", listOf(1, maxChartPoints, label)), may("x_label", said(1, maxChartTitle)),
			may("y_label", said(1, maxChartTitle)),
		}
		return shape{
			must("series", listOf(1, maxChartSeries, anObject(series))), must("axis_config", anObject(axes)), also(seriesFit),
		}, true
	}
	return nil, false
}

func positive(c *blockCheck, path string, v any) {
	n, _ := v.(json.Number)
	if f, err := n.Float64(); err != nil || f <= 0 {
		c.wrong(path, "must be greater than 0")
	}
}

// seriesFit says that no name is there twice, and that each series has one point for each category.
func seriesFit(c *blockCheck, path string, v any) {
	chart := v.(object)
	axes, _ := chart["axis_config"].(object)
	categories := texts(list(axes["categories"]), "")
	c.distinct(path+"/axis_config/categories", categories)
	series := list(chart["series"])
	c.distinct(path+"/series", texts(series, "name"))
	for i, v := range series {
		s, _ := v.(object)
		labels := texts(list(s["data"]), "label")
		if !sameTexts(labels, categories) {
			c.wrong(fmt.Sprintf("%s/series/%d/data", path, i), "must have exactly one point for every category")
		}
	}
}

func (c *blockCheck) distinct(path string, names []string) {
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			c.wrong(fmt.Sprintf("%s/%d", path, i), "`%s` already exists", name)
		}
	}
}

// texts are the strings of a list, or of one property of its objects.
func texts(items []any, key string) []string {
	all := make([]string, len(items))
	for i, v := range items {
		if o, ok := v.(object); ok && key != "" {
			v = o[key]
		}
		all[i], _ = v.(string)
	}
	return all
}

func sameTexts(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
