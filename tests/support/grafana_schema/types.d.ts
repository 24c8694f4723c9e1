// Grafana's published types (npm @grafana/schema), as JSON can say them: an enum is written as its values.
import type { Dashboard, Panel as AnyPanel, FieldConfig, FieldConfigSource } from '@grafana/schema/dist/esm/index';
import type * as Raw from '@grafana/schema/dist/esm/raw/dashboard/x/dashboard_types.gen';
import type * as BarChart from '@grafana/schema/dist/esm/raw/composable/barchart/panelcfg/x/BarChartPanelCfg_types.gen';
import type * as Gauge from '@grafana/schema/dist/esm/raw/composable/gauge/panelcfg/x/GaugePanelCfg_types.gen';
import type * as Table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as TimeSeries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

type Plain<T> = T extends string ? `${T}`
  : T extends number | boolean | null | undefined ? T
  : T extends (infer U)[] ? Plain<U>[]
  : T extends object ? { [K in keyof T]: Plain<T[K]> }
  : T;

type Of<Type extends string, Options, Custom> =
  Omit<Plain<Raw.Panel>, 'type' | 'options' | 'fieldConfig'> & {
    type: Type;
    options: Partial<Plain<Options>>;
    fieldConfig: Omit<Plain<Raw.FieldConfigSource>, 'defaults'> & {
      defaults: Omit<Plain<Raw.FieldConfig>, 'custom'> & { custom?: Partial<Plain<Custom>> };
    };
  };

export type Panel =
  | Of<'barchart', BarChart.Options, BarChart.FieldConfig>
  | Of<'gauge', Gauge.Options, never>
  | Of<'table', Table.Options, Table.FieldConfig>
  | Of<'timeseries', TimeSeries.Options, TimeSeries.FieldConfig>
  | Plain<Raw.RowPanel>;
export type Page = Omit<Plain<Raw.Dashboard>, 'panels'> & { panels: Panel[] };
