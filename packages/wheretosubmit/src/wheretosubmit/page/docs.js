"use strict";

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function typeOf(schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.prefixItems) return `[${schema.prefixItems.map(typeOf).join(", ")}]`;
  if (schema.items) return `list of ${typeOf(schema.items)}`;
  if (schema.additionalProperties) return `object of ${typeOf(schema.additionalProperties)}`;
  const limits = { maxLength: "of at most", minimum: "from", maximum: "to" };
  const known = Object.keys(limits).filter((key) => key in schema).map((key) => `${limits[key]} ${schema[key]}`);
  return [schema.type, ...known, "maxLength" in schema ? "characters" : ""].join(" ").trim();
}

function table(name, schema) {
  const rows = Object.entries(schema.properties || {}).map(([key, value]) => element("tr", {},
    element("td", {}, element("code", {}, key)),
    element("td", {}, typeOf(value)),
    element("td", {}, (schema.required || []).includes(key) ? "required" : "")));
  return [element("h3", {}, name), element("p", {}, schema.description || ""), element("table", {}, ...rows)];
}

function operation(path, method, { summary, requestBody }, schemas) {
  const parts = [element("h2", {}, `${method.toUpperCase()} ${path}`), element("p", {}, summary)];
  let command = `curl ${new URL(path.slice(1), document.baseURI)}`;
  if (requestBody) {
    const name = typeOf(requestBody.content["application/json"].schema);
    const properties = Object.entries(schemas[name].properties).filter(([, value]) => value.type === "string");
    const body = Object.fromEntries(properties.map(([key]) => [key, "..."]));
    command += ` -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`;
    parts.push(element("p", {}, "Takes ", element("code", {}, name), "."));
  }
  return [...parts, element("pre", { tabIndex: 0 }, command)];
}

(async () => {
  const { paths, components } = await (await fetch("openapi.json")).json();
  const operations = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).flatMap(
    ([method, details]) => operation(path, method, details, components.schemas)));
  const shown = Object.entries(components.schemas).filter(([name]) => !name.includes("ValidationError"));
  document.getElementById("operations").append(
    ...operations, element("h2", {}, "Objects"), ...shown.flatMap(([name, schema]) => table(name, schema)));
})();
