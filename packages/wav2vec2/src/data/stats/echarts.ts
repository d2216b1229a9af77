// What is drawn with of ECharts, named one by one: the bundle holds this of it, a hundredth of the package.
export { BarChart } from "echarts/charts";
export { GridComponent, TitleComponent } from "echarts/components";
export { init, use } from "echarts/core";
export { SVGRenderer } from "echarts/renderers";
