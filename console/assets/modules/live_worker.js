// Reads the stream of changes once for all tabs of this browser: a host gives a browser six connections.
const ports = new Set();
const silence = 6000;
let last, source, timer;

const tell = (message) => ports.forEach((port) => port.postMessage(message));
const heard = () => {
  clearTimeout(timer);
  timer = setTimeout(lost, silence);
};
const lost = () => {
  clearTimeout(timer);
  source?.close();
  tell({ kind: "lost" });
  timer = setTimeout(open, 1000);
};
const open = () => {
  source = new EventSource(new URL("../../live", self.location));
  source.addEventListener("pulse", (event) => {
    heard();
    last = JSON.parse(event.data);
    tell({ kind: "pulse", data: last });
  });
  source.addEventListener("beat", heard);
  source.addEventListener("error", lost);
};

self.addEventListener("connect", ({ ports: [port] }) => {
  ports.add(port);
  port.onmessage = () => ports.delete(port);
  if (last && source?.readyState === 1) port.postMessage({ kind: "pulse", data: last });
  if (!source) open();
});
