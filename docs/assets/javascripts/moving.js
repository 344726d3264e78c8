// 움직이는 그림: 테스트한 함수가 미리 계산한 장면에서, 슬라이더의 위치에 맞는 장면을 보인다. 계산은 하지 않는다.
function moving(figure) {
  const { knobs, traces, readings } = JSON.parse(figure.querySelector("script").textContent);
  const inputs = [...figure.querySelectorAll("input")];
  const outputs = figure.querySelectorAll("output");
  const paths = traces.map((_, number) => figure.querySelector(`[id$=-trace-${number}] path`));
  const place = ({ shape, all }) =>
    all[shape.reduce((index, size, knob) => index * size + (size > 1 ? Number(inputs[knob].value) : 0), 0)];
  function show() {
    knobs.forEach(({ places }, knob) => {
      outputs[knob].textContent = places[inputs[knob].value];
      inputs[knob].setAttribute("aria-valuetext", places[inputs[knob].value]);
    });
    traces.forEach((trace, number) => paths[number].setAttribute("d", place(trace)));
    figure.querySelector(".moving-readings").textContent = readings.map(place).join(" · ");
  }
  figure.addEventListener("input", show);
}
document.querySelectorAll("figure.moving").forEach(moving);
