// General work tells the stream nothing while it goes on: an execution that is open is looked at every second.
import { renew } from "./live.js";

const every = 1000;
const standing = () => document.getElementById("standing");
let stand = standing()?.dataset.stand;

setInterval(() => {
  const region = standing();
  if (region && "goesOn" in region.dataset && document.visibilityState === "visible") renew(region);
}, every);
document.addEventListener("unpend:refreshed", ({ detail: { region } }) => {
  if (region.id !== "standing" || region.dataset.stand === stand) return;
  stand = region.dataset.stand;
  const steps = document.getElementById("steps");
  if (steps) renew(steps);
});
