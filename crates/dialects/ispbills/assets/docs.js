// The documentation page: which version is shown, and a token for trying its calls.
"use strict";

const version = new URLSearchParams(location.search).get("version") === "1" ? 1 : 2;
const file = `/docs/api/openapi-v${version}.json`;

for (const link of document.querySelectorAll("[data-version]")) {
  if (Number(link.dataset.version) === version) link.setAttribute("aria-current", "page");
}
document.getElementById("file").href = file;
if (version === 1) {
  document.getElementById("who").textContent = "E-mail address";
  document.getElementById("proof").textContent = "Password";
}

const ui = SwaggerUIBundle({
  url: file,
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
  filter: true,
  tryItOutEnabled: true,
  persistAuthorization: false,
  validatorUrl: null,
  // Everything comes from this program, and calls go to it alone.
  requestInterceptor: (request) => {
    if (new URL(request.url, location.href).origin !== location.origin) throw new Error("another server");
    return request;
  },
});

document.getElementById("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const told = document.getElementById("told");
  const [who, proof] = [form.elements.who.value, form.elements.proof.value];
  const [path, body] = version === 1
    ? ["/api/auth/login", { email: who, password: proof }]
    : ["/api/v2/auth/token", { client_id: who, client_secret: proof }];
  told.textContent = "…";
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.error?.message ?? answer.status);
    ui.preauthorizeApiKey("bearer", said.access_token);
    form.elements.proof.value = "";
    told.textContent = `You have a token for ${Math.round(said.expires_in / 60)} minutes.`;
  } catch (error) {
    told.textContent = `No token: ${error.message}`;
  }
});
