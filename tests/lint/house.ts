/**
 * The rules of the house as a lint plugin: layers, the one dlopen, and a few manners.
 *
 * @module
 */

import { importProblem, layerOf } from "./layers.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** A file's path from the root of the project; tests of the plugin give such a path themselves. */
function fileOf(context: Deno.lint.RuleContext): string {
  return context.filename.replace(/^file:\/\//, "").replace(ROOT, "");
}

type Names = Deno.lint.Identifier | Deno.lint.MemberExpression;

/** Whether an identifier is a use of a global, not a name of a property or a declaration of its own. */
function isUse(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  if (parent.type === "MemberExpression") return parent.object === node || parent.computed;
  if (parent.type === "Property") return parent.value === node && parent.key !== node;
  if (parent.type === "TSQualifiedName") return parent.left === node;
  return !/^(PropertyDefinition|MethodDefinition|TS(Property|Method)Signature|Import.*|TSModule.*)$/
    .test(parent.type);
}

/** Calls `report` for each use of a global, also as `globalThis.name`. */
function onGlobal(name: string, report: (node: Names) => void): Deno.lint.LintVisitor {
  return {
    Identifier: (node) => {
      if (node.name === name && isUse(node)) report(node);
    },
    MemberExpression: (node) => {
      const { object, property } = node;
      if (object.type !== "Identifier" || !/^(globalThis|self|window)$/.test(object.name)) return;
      const key = property.type === "Literal"
        ? property.value
        : property.type === "Identifier"
        ? property.name
        : undefined;
      if (key === name) report(node);
    },
  };
}

const layers: Deno.lint.Rule = {
  create: (context) => {
    const file = fileOf(context);
    const look = (node: Deno.lint.Node, source: Deno.lint.Node | null, dynamic: boolean): void => {
      if (source === null) return;
      if (source.type !== "Literal" || typeof source.value !== "string") {
        if (!layerOf(file).startsWith("lib/")) return;
        const message = "lib imports by literal names only, so that the layers can be seen";
        return context.report({ node, message, hint: "Import it by name at the top" });
      }
      const problem = importProblem({ file, specifier: source.value, dynamic });
      if (problem !== undefined) context.report({ node: source, ...problem });
    };
    return {
      ImportDeclaration: (node) => look(node, node.source, false),
      ExportNamedDeclaration: (node) => look(node, node.source, false),
      ExportAllDeclaration: (node) => look(node, node.source, false),
      ImportExpression: (node) => look(node, node.source, true),
      TSImportType: (node) => {
        const { argument } = node;
        const literal = argument.type === "TSLiteralType" ? argument.literal : argument;
        look(node, literal, true);
      },
    };
  },
};

const dlopen: Deno.lint.Rule = {
  create: (context) => {
    // A thread for long calls opens libc for itself, from the same table.
    if (["lib/sys/symbols.ts", "lib/sys/thread_main.ts"].includes(fileOf(context))) return {};
    const report = (node: Deno.lint.Node): void =>
      context.report({
        node,
        message: "lib/sys/symbols.ts is the only place that opens a library",
        hint: "Add the function to its table and to the Kernel interface, so that the model has it",
      });
    return {
      "MemberExpression[property.name='dlopen']": report,
      "MemberExpression[property.value='dlopen']": report,
      "VariableDeclarator[init.name='Deno'] > ObjectPattern > Property[key.name='dlopen']": report,
    };
  },
};

const denoGlobal: Deno.lint.Rule = {
  create: (context) => {
    const layer = layerOf(fileOf(context));
    if (["lib/sys", "cli", "tests", "examples", ""].includes(layer)) return {};
    return onGlobal("Deno", (node) =>
      context.report({
        node,
        message: `${layer} may not say Deno: lib/sys is the only layer of lib that does`,
        hint: "Go through the Kernel interface, or put the call into lib/sys",
      }));
  },
};

const noConsole: Deno.lint.Rule = {
  create: (context) => {
    const layer = layerOf(fileOf(context));
    if (!layer.startsWith("lib/") && layer !== "mod.ts") return {};
    return onGlobal("console", (node) =>
      context.report({
        node,
        message: `${layer} never prints`,
        hint: "Return the value or throw; printing is for cli and for scripts",
      }));
  },
};

const noEmptyCatch: Deno.lint.Rule = {
  create: (context) => ({
    CatchClause: (node) => {
      if (node.body.body.length > 0) return;
      context.report({
        node,
        message: "An empty catch hides errors",
        hint: "Catch the one error that is expected, do something about it, and throw the others",
      });
    },
  }),
};

const noAsAny: Deno.lint.Rule = {
  create: (context) => {
    const report = (node: Deno.lint.Node): void =>
      context.report({
        node,
        message: "A cast to any turns the types off",
        hint: "State the narrow type that is meant, or test for it",
      });
    return {
      "TSAsExpression[typeAnnotation.type='TSAnyKeyword']": report,
      "TSTypeAssertion[typeAnnotation.type='TSAnyKeyword']": report,
    };
  },
};

const noEnum: Deno.lint.Rule = {
  create: (context) => ({
    TSEnumDeclaration: (node) =>
      context.report({
        node,
        message: "The house has no enum",
        hint: "Write a const object with `as const`, or a union of strings",
      }),
  }),
};

const noPrivate: Deno.lint.Rule = {
  create: (context) => {
    const report = (node: Deno.lint.Node): void =>
      context.report({
        node,
        message: "`private` hides nothing at run time",
        hint: "Write #name; only a constructor may be private",
      });
    return {
      "PropertyDefinition[accessibility='private']": report,
      // The syntax tree does not tell the accessibility of a parameter property.
      TSParameterProperty: (node) => {
        if (/^private\b/.test(context.sourceCode.getText(node))) report(node);
      },
      "MethodDefinition[accessibility='private']": (node: Deno.lint.MethodDefinition) => {
        if (node.kind !== "constructor") report(node);
      },
    };
  },
};

const noDefaultExport: Deno.lint.Rule = {
  create: (context) => {
    const layer = layerOf(fileOf(context));
    // Others, as this plugin, are loaded by tools that ask for a default export.
    if (layer === "tests" || layer === "") return {};
    return {
      ExportDefaultDeclaration: (node) =>
        context.report({
          node,
          message: "A default export has no name of its own",
          hint: "Export it by name",
        }),
    };
  },
};

/** The plugin; `deno.json` names it. */
const plugin: Deno.lint.Plugin = {
  name: "house",
  rules: {
    layers,
    dlopen,
    "deno-global": denoGlobal,
    "no-console": noConsole,
    "no-empty-catch": noEmptyCatch,
    "no-as-any": noAsAny,
    "no-enum": noEnum,
    "no-private": noPrivate,
    "no-default-export": noDefaultExport,
  },
};
export default plugin;
