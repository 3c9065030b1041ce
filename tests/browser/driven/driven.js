// Over WebDriver BiDi, Playwright's own scripts are bound by the page's policy and need eval. Nothing else of it changes.
"use strict";

const NAME = "content-security-policy";

function allow(details) {
  for (const header of details.responseHeaders) {
    if (header.name.toLowerCase() === NAME) {
      header.value = header.value.includes("script-src")
        ? header.value.replace("script-src", "script-src 'unsafe-eval'")
        : `${header.value}; script-src 'unsafe-eval'`;
    }
  }
  return { responseHeaders: details.responseHeaders };
}

browser.webRequest.onHeadersReceived.addListener(
  allow,
  { urls: ["http://127.0.0.1/*"] },
  ["blocking", "responseHeaders"],
);
