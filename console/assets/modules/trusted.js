// The one place where text becomes HTML: pages that came from this very server, which escapes everything in them.
const policy = globalThis.trustedTypes
  ? trustedTypes.createPolicy("unpend", { createHTML: (html) => html, createScriptURL: (url) => url })
  : { createHTML: (html) => html, createScriptURL: (url) => url };

export const parse = (html) => new DOMParser().parseFromString(policy.createHTML(html), "text/html");
export const workerAddress = (path) => policy.createScriptURL(path);
export const prefix = document.body.dataset.prefix;
