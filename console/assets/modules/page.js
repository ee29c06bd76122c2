// What every page does.
import "./swap.js";
import "./live.js";
import "./keys.js";
