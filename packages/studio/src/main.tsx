import "virtual:colors.css";
import "uplot/dist/uPlot.min.css";
import "./style/base.css";
import "./style/parts.css";
import "./style/charts.css";
import "./style/samples.css";
import { render } from "preact";
import { App } from "./app.js";

render(<App />, document.getElementById("app")!);
