"""Turns the dashboards into Grafana's JSON, with the types of grafana-foundation-sdk."""

from __future__ import annotations

import json
from typing import Any

from grafana_foundation_sdk.builders import barchart, common, dashboard, gauge, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models

from crossbridge.grafana import DATASOURCE_TYPE, panels
from crossbridge.grafana.dashboards import DASHBOARDS, INPUT

_DATASOURCE = models.DataSourceRef(type_val=DATASOURCE_TYPE, uid="${datasource}")
_SUCCESS = [(None, "red"), (80.0, "orange"), (95.0, "green")]
_LINKS = {
    "test_id": ("Steps and slow runs of this test", "var-test_id=${__value.raw:percentencode}"),
    "run": ("This run", "var-run=${__value.raw:percentencode}"),
}


class SqlQuery(Dataquery):  # type: ignore[misc]
    """A query written as SQL. The SDK has no type for Grafana's PostgreSQL data source."""

    def __init__(self, sql: str, format_: str) -> None:
        self.sql = panels.expanded(sql)
        self.format = format_

    def to_json(self) -> dict[str, object]:
        return {
            "refId": "A",
            "datasource": _DATASOURCE,
            "editorMode": "code",
            "format": self.format,
            "rawQuery": True,
            "rawSql": self.sql,
        }

    def build(self) -> SqlQuery:
        return self


def build_all() -> dict[str, str]:
    """Return the text of every dashboard's file by its path; the same each time."""
    return {spec.path: _text(spec) for spec in DASHBOARDS}


def _text(spec: panels.Dashboard) -> str:
    document = {
        "__inputs": [
            {
                "name": INPUT,
                "label": "CrossBridge database",
                "description": "The PostgreSQL data source that holds the schema crossbridge.",
                "type": "datasource",
                "pluginId": DATASOURCE_TYPE,
                "pluginName": "PostgreSQL",
            }
        ],
        "__requires": [
            {"type": "grafana", "id": "grafana", "name": "Grafana", "version": "11.0.0"},
            {"type": "datasource", "id": DATASOURCE_TYPE, "name": "PostgreSQL", "version": "1.0.0"},
        ],
        **_plain(_dashboard(spec).build()),
    }
    # The SDK gives every variable what only those of type interval have.
    for variable in document["templating"]["list"]:
        for name in ("auto", "auto_min", "auto_count"):
            del variable[name]
    # The SDK's type of an annotation's target is that of Grafana's own annotations; a data source's holds a query.
    for annotation, query in zip(document["annotations"]["list"], spec.annotations, strict=True):
        annotation["target"] = _plain(SqlQuery(query.sql, "table"))
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _plain(built: object) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(built, cls=JSONEncoder))
    return plain


def _dashboard(spec: panels.Dashboard) -> dashboard.Dashboard:
    builder = (
        dashboard.Dashboard(spec.title)
        .uid(spec.uid)
        .description(spec.description)
        .tags(["crossbridge"])
        .timezone("browser")
        .time(spec.since, "now")
        .refresh("1m")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .links([_other_dashboards()])
        .annotations([_annotation(annotation) for annotation in spec.annotations])
        .variables([_datasource_variable(), *map(_variable, spec.all_variables)])
    )
    number = 0
    for row in spec.rows:
        number += 1
        builder.with_row(dashboard.Row(row.title).id(number))
        for panel in row.panels:
            number += 1
            builder.with_panel(_panel(panel, number))
    return builder


def _other_dashboards() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("CrossBridge")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags(["crossbridge"])
        .keep_time(True)
        .include_vars(True)
    )


def _annotation(spec: panels.Annotation) -> dashboard.AnnotationQuery:
    return (
        dashboard.AnnotationQuery()
        .name(spec.name)
        .datasource(_DATASOURCE)
        .enable(True)
        .icon_color(spec.color)
    )


def _datasource_variable() -> dashboard.DatasourceVariable:
    return (
        dashboard.DatasourceVariable("datasource")
        .label("Database")
        .description("The PostgreSQL data source that holds the schema crossbridge.")
        .type(DATASOURCE_TYPE)
        .current(models.VariableOption(text="CrossBridge", value=f"${{{INPUT}}}"))
    )


def _variable(spec: panels.Variable) -> dashboard.QueryVariable:
    builder = (
        dashboard.QueryVariable(spec.name)
        .label(spec.title)
        .description(spec.description)
        .datasource(_DATASOURCE)
        .query(panels.expanded(spec.sql))
        .multi(spec.several)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.DISABLED)
    )
    if spec.all_:
        text: str | list[str] = ["All"] if spec.several else "All"
        value: str | list[str] = ["$__all"] if spec.several else "$__all"
        builder.include_all(True).all_value(panels.ALL).current(models.VariableOption(text=text, value=value))
    return builder


def _panel(spec: panels.Panel, number: int) -> Any:
    builder = _KINDS[spec.kind](spec)
    builder.id(number).title(spec.title).description(spec.description).datasource(_DATASOURCE).unit(spec.unit)
    builder.span(spec.width).height(spec.height).no_value(spec.no_data)
    builder.with_target(SqlQuery(spec.sql, "time_series" if spec.kind == "timeseries" else "table"))
    for name, column in spec.columns.items():
        builder.override_by_name(name, _properties(column))
    return builder


def _timeseries(spec: panels.Panel) -> timeseries.Panel:
    builder = (
        timeseries.Panel()
        .line_width(1)
        .fill_opacity(30 if spec.stacked else 5)
        .show_points(
            common_models.VisibilityMode.ALWAYS if spec.points else common_models.VisibilityMode.AUTO
        )
        .span_nulls(True)
        .axis_soft_min(0)
        .legend(
            common.VizLegendOptions()
            .display_mode(common_models.LegendDisplayMode.LIST)
            .placement(common_models.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI))
    )
    if spec.stacked:
        builder.draw_style(common_models.GraphDrawStyle.BARS)
        builder.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL).group("A"))
    return builder


def _table(spec: panels.Panel) -> table.Panel:  # noqa: ARG001
    return table.Panel().show_header(True).cell_height(common_models.TableCellHeight.SM).filterable(True)


def _gauge(spec: panels.Panel) -> gauge.Panel:  # noqa: ARG001
    return (
        gauge.Panel()
        .min(0)
        .max(100)
        .decimals(2)
        .reduce_options(_last_value())
        .thresholds(dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(_steps()))
    )


def _barchart(spec: panels.Panel) -> barchart.Panel:  # noqa: ARG001
    return (
        barchart.Panel()
        .line_width(1)
        .fill_opacity(80)
        .gradient_mode(common_models.GraphGradientMode.NONE)
        .orientation(common_models.VizOrientation.HORIZONTAL)
        .show_value(common_models.VisibilityMode.ALWAYS)
        .legend(common.VizLegendOptions().show_legend(False))
        .tooltip(common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.SINGLE))
    )


_KINDS = {
    "timeseries": _timeseries,
    "table": _table,
    "gauge": _gauge,
    "barchart": _barchart,
}


def _last_value() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().values(False).calcs(["lastNotNull"])


def _steps() -> list[models.Threshold]:
    return [models.Threshold(value=value, color=color) for value, color in _SUCCESS]


def _properties(column: panels.Column) -> list[models.DynamicConfigValue]:
    values: dict[str, object] = {"displayName": column.title}
    if column.unit:
        values["unit"] = column.unit
    if column.width:
        values["custom.width"] = column.width
    if column.color:
        values["color"] = {"mode": "fixed", "fixedColor": column.color}
    if column.link:
        title, query = _LINKS[column.link]
        url = f"/d/crossbridge-overview?{query}&${{__url_time_range}}"
        values["links"] = [{"title": title, "url": url}]
    if column.share:
        values["custom.cellOptions"] = {"type": "color-background", "mode": "basic"}
        steps = [{"value": value, "color": color} for value, color in _SUCCESS]
        values["thresholds"] = {"mode": "absolute", "steps": steps}
    return [models.DynamicConfigValue(id_val=key, value=value) for key, value in values.items()]
