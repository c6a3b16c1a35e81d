/* Draws the charts of a page. All colours are the style sheet's, so that they follow light, dark and paper. */
"use strict";
(() => {
  const page = JSON.parse(document.getElementById("charts").textContent);
  const places = [...document.querySelectorAll(".chart")];
  const font = { fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 12, color: "var(--ink)" };
  const soft = { ...font, color: "var(--soft)" };
  const colours = [0, 1, 2, 3, 4, 5, 6, 7].map((number) => `var(--c${number})`);
  const forms = {
    count: new Intl.NumberFormat(page.language, { maximumFractionDigits: 1 }),
    ratio: new Intl.NumberFormat(page.language, { maximumFractionDigits: 2 }),
    share: new Intl.NumberFormat(page.language, { style: "percent", maximumFractionDigits: 1 }),
  };
  const write = (value, form) => (value === null || value === undefined ? "–" : forms[form].format(value));
  const html = echarts.format.encodeHTML;
  const lines = (head, pairs) =>
    `<b>${html(head)}</b>` + pairs.map(([name, value]) => `<br>${html(name)} <b>${html(value)}</b>`).join("");
  const tooltip = (formatter, trigger = "item") => ({
    trigger, formatter, confine: true, transitionDuration: 0, backgroundColor: "var(--card)", borderColor: "var(--line)",
    textStyle: font, extraCssText: "max-width: 20rem; white-space: normal",
    axisPointer: { type: "line", lineStyle: { color: "var(--soft)" }, label: { show: false } },
  });
  const legend = (names) => ({ show: names.length > 1, top: 0, left: 0, type: "scroll", textStyle: font, data: names,
    inactiveColor: "var(--line)", pageIconColor: "var(--soft)", pageTextStyle: soft });
  const axis = (rest) => ({
    axisLabel: { ...soft, hideOverlap: true }, axisTick: { show: false },
    axisLine: { lineStyle: { color: "var(--line)" } }, splitLine: { lineStyle: { color: "var(--line)" } }, ...rest,
  });
  const measured = (form, rest) =>
    axis({ type: "value",
      axisLabel: { ...soft, hideOverlap: true, formatter: (value) => write(value, form) }, ...rest });
  const named = (names, rest) =>
    axis({ type: "category", data: names, inverse: true, splitLine: { show: false },
      axisLabel: { ...font, width: 130, overflow: "truncate", interval: 0 }, ...rest });
  const still = { animation: false, emphasis: { disabled: true } };

  /* Each kind says how high it is on a place of a width, and how it is drawn there. */
  const kinds = {
    course: {
      height: () => 280,
      option: ({ x, lines: drawn, form }) => ({
        grid: { left: 8, right: 16, top: drawn.length > 1 ? 40 : 12, bottom: 8, containLabel: true },
        legend: legend(drawn.map((line) => line.name)),
        tooltip: tooltip((found) => lines(x[found[0].dataIndex],
          found.map((one) => [one.seriesName, write(one.value, form)])), "axis"),
        xAxis: axis({ type: "category", data: x, boundaryGap: x.length < 2, splitLine: { show: false },
          axisLabel: { ...soft, hideOverlap: true, alignMinLabel: "left", alignMaxLabel: "right" } }),
        yAxis: axis({ type: "value", minInterval: form === "count" ? 1 : 0, axisLine: { show: false } }),
        series: drawn.map((line, number) => ({
          ...still, type: "line", name: line.name, data: line.values, symbol: "circle", symbolSize: 5,
          showSymbol: x.length < 40, color: line.before ? "var(--soft)" : colours[number % colours.length],
          lineStyle: { width: line.before ? 1.5 : 2.5, type: line.before ? "dashed" : "solid" },
        })),
      }),
    },
    bars: {
      height: ({ names, series }) => names.length * (10 + 16 * series.length) + (series.length > 1 ? 72 : 40),
      option: ({ names, series, form }) => ({
        grid: { left: 8, right: 56, top: series.length > 1 ? 32 : 4, bottom: 4, containLabel: true },
        legend: legend(series.map((one) => one.name)),
        tooltip: tooltip((one) => lines(names[one.dataIndex], [[one.seriesName, write(one.value, form)]])),
        xAxis: measured(form, { minInterval: form === "count" ? 1 : 0, splitNumber: 4 }),
        yAxis: named(names),
        series: series.map((one, number) => ({
          ...still, type: "bar", name: one.name, data: one.values, barMaxWidth: 16, color: colours[number % colours.length],
          label: { ...font, show: true, position: "right", formatter: ({ value }) => write(value, form) },
        })),
      }),
    },
    heat: {
      height: ({ y }) => y.length * 30 + 32,
      option: ({ x, y, cells, form, lettered }) => {
        const most = Math.max(...cells.map((cell) => cell[2]), 0) || 1;
        return {
          grid: { left: 8, right: 8, top: 4, bottom: 4, containLabel: true },
          tooltip: tooltip(({ value }) => lines(`${y[value[1]]} ${x[value[0]]}`, [["", write(value[2], form)]])),
          xAxis: axis({ type: "category", data: x, axisLine: { show: false } }),
          yAxis: named(y, { axisLine: { show: false } }),
          series: [{
            ...still, type: "custom", data: cells,
            renderItem: (_, api) => {
              const [left, top] = api.coord([api.value(0), api.value(1)]);
              const [width, height] = api.size([1, 1]);
              const share = api.value(2) / most;
              const shape = { x: left - width / 2 + 1, y: top - height / 2 + 1, width: width - 2, height: height - 2, r: 3 };
              const rect = { type: "rect", shape, style: { fill: "var(--accent)", opacity: 0.05 + 0.95 * share } };
              const text = write(api.value(2), form);
              if (!lettered || width < 36) return rect;
              const fill = share > 0.5 ? "var(--card)" : "var(--ink)";
              const letters = { ...soft, text, x: left, y: top, fill, align: "center", verticalAlign: "middle" };
              return { type: "group", children: [rect, { type: "text", style: letters }] };
            },
          }],
        };
      },
    },
    differences: {
      height: ({ rows }) => rows.length * 28 + 44,
      option: ({ rows, form }) => ({
        grid: { left: 8, right: 110, top: 4, bottom: 4, containLabel: true },
        tooltip: tooltip(({ dataIndex }) => {
          const { name, words, low, estimate, high } = rows[dataIndex];
          return lines(name, [[words, `${write(estimate, form)} (${write(low, form)} … ${write(high, form)})`]]);
        }),
        xAxis: measured(form),
        yAxis: named(rows.map((row) => row.name)),
        series: [{
          ...still, type: "custom", encode: { x: [0, 1, 2], y: 3 },
          data: rows.map((row, place) => [row.low, row.estimate, row.high, place]),
          renderItem: (params, api) => {
            const { verdict, words } = rows[params.dataIndex];
            const { x, width } = params.coordSys;
            const colour = { more: "var(--up)", fewer: "var(--down)" }[verdict] || "var(--soft)";
            const [low, estimate, high] = [0, 1, 2].map((part) => api.coord([api.value(part), api.value(3)]));
            const zero = api.coord([0, api.value(3)])[0];
            const half = api.size([0, 1])[1] / 2;
            const line = (x1, y1, x2, y2, stroke, lineWidth) =>
              ({ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke, lineWidth } });
            return { type: "group", children: [
              line(zero, low[1] - half, zero, low[1] + half, "var(--soft)", 1),
              line(low[0], low[1], high[0], high[1], colour, 3),
              { type: "circle", shape: { cx: estimate[0], cy: estimate[1], r: 5 }, style: { fill: colour } },
              { type: "text", style: { ...soft, text: words, x: x + width + 8, y: low[1], fill: colour, verticalAlign: "middle" } },
            ] };
          },
        }],
      }),
    },
    cells: {
      height: (_, width) => Math.min(Math.max(width * 0.7, 240), 520),
      option: ({ cells, words }, width, height) => {
        const most = Math.max(...cells.map((cell) => cell[4]));
        const [x, y] = extents(cells, width - 80, height - 40);
        return {
          grid: { left: 64, right: 16, top: 8, bottom: 32 },
          tooltip: tooltip(({ value }) => lines(value[6],
            [[words.times, write(value[4], "count")], [words.users, write(value[5], "count")]])),
          xAxis: axis({ type: "value", min: x[0], max: x[1], axisLabel: degrees(x) }),
          yAxis: axis({ type: "value", min: y[0], max: y[1], axisLabel: degrees(y) }),
          series: [{
            ...still, type: "custom", data: cells, encode: { x: [0, 2], y: [1, 3] },
            renderItem: (_, api) => {
              const [left, bottom] = api.coord([api.value(0), api.value(1)]);
              const [right, top] = api.coord([api.value(2), api.value(3)]);
              const [w, h] = [Math.max(right - left, 9), Math.max(bottom - top, 9)];  // else nothing is seen of a small one
              const shape = { x: (left + right - w) / 2, y: (top + bottom - h) / 2, width: w, height: h, r: 2 };
              const opacity = 0.15 + 0.85 * (api.value(4) / most);
              return { type: "rect", shape, style: { fill: "var(--accent)", opacity, stroke: "var(--card)", lineWidth: 1 } };
            },
          }],
        };
      },
    },
    flow: {
      height: ({ nodes }) => Math.max(240, 36 * Math.max(...Object.values(perDepth(nodes)))),
      option: ({ nodes, links }, width) => {
        const first = Math.min(...nodes.map((node) => node.depth));
        const labels = Object.fromEntries(nodes.map((node) => [node.id, node.label]));
        const room = width / Object.keys(perDepth(nodes)).length - 24;
        return {
          tooltip: tooltip(({ data, value, name }) => data.source === undefined
            ? lines(labels[name], [["", write(value, "count")]])
            : lines(`${labels[data.source]} → ${labels[data.target]}`, [["", write(data.value, "count")]])),
          series: [{
            ...still, type: "sankey", left: 4, right: Math.max(room, 60), top: 8, bottom: 8, nodeWidth: 10, nodeGap: 12,
            draggable: false, nodeAlign: "left", links,
            data: nodes.map((node) => ({ name: node.id, depth: node.depth - first,
              itemStyle: { color: node.id === "0" ? "var(--accent)" : "var(--c1)", borderWidth: 0 } })),
            lineStyle: { color: "var(--soft)", opacity: 0.25 },
            label: { ...font, width: Math.max(room, 60), overflow: "truncate", formatter: ({ name }) => labels[name] },
          }],
        };
      },
    },
  };

  function perDepth(nodes) {
    const found = {};
    for (const { depth } of nodes) found[depth] = (found[depth] || 0) + 1;
    return found;
  }

  /* So that a kilometre is as long in one direction as in the other, as far as that can be on paper. */
  function extents(cells, width, height) {
    const [west, south] = [0, 1].map((side) => Math.min(...cells.map((cell) => cell[side])));
    const [east, north] = [2, 3].map((side) => Math.max(...cells.map((cell) => cell[side])));
    const slim = Math.max(Math.cos((((south + north) / 2) * Math.PI) / 180), 0.05);
    const scale = Math.max(((east - west) * slim) / width, (north - south) / height) * 1.1;
    const around = (middle, half) => [middle - half, middle + half];
    return [around((west + east) / 2, (scale * width) / slim / 2), around((south + north) / 2, (scale * height) / 2)];
  }

  function degrees([low, high]) {
    const digits = Math.min(Math.max(Math.ceil(1 - Math.log10(high - low)), 0), 5);
    return { ...soft, hideOverlap: true, showMinLabel: false, showMaxLabel: false,
      formatter: (value) => `${value.toFixed(digits)}°` };
  }

  function draw(width) {
    page.charts.forEach(({ kind, values }, number) => {
      const place = places[number];
      place.style.width = width ? `${width}px` : "";
      const height = kinds[kind].height(values, place.clientWidth);
      place.style.height = `${height}px`;
      const chart = echarts.getInstanceByDom(place) || echarts.init(place, null, { renderer: "svg" });
      chart.resize({ width: place.clientWidth, height });
      chart.setOption({ animation: false, textStyle: font, ...kinds[kind].option(values, place.clientWidth, height) }, true);
    });
  }

  draw();
  addEventListener("resize", () => draw());
  addEventListener("beforeprint", () => draw(640));  // what is between the margins of a sheet
  addEventListener("afterprint", () => draw());
})();
