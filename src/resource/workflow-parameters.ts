// What an Argo Workflow is told about the push: parameters that the GitHook names. Their values are passed as they are.
// Argo itself replaces {{…}} in the values of arguments as often as they are handed on (substituteGlobalVariables and
// SubstituteParams of v3.7), and a branch may be called that; who may push it may change the manifest as well.
import type { GitHookRun } from '../api/githookrun.ts';
import { TerminalError } from '../errors.ts';
import { isMapping, type Mapping } from './mapping.ts';

interface Parameter {
  readonly name: string;
  readonly value: string;
}

/**
 * The Workflow's spec with the run's parameters in spec.arguments.parameters: their value is set, whatever else they have
 * stays; those that are missing are added.
 * Throws TerminalError ManifestInvalid where there is no place for them.
 */
export function withParameters(spec: Mapping, run: GitHookRun): Mapping {
  const parameters = parametersOf(run);
  if (parameters.length === 0) return spec;
  const own = spec['arguments'] ?? {};
  if (!isMapping(own)) throw noPlace('spec.arguments', 'a mapping with the field parameters');
  const list = own['parameters'] ?? [];
  if (!Array.isArray(list)) throw noPlace('spec.arguments.parameters', 'a list of entries with name and value');
  return { ...spec, arguments: { ...own, parameters: parameters.reduce(withParameter, list as readonly unknown[]) } };
}

function withParameter(list: readonly unknown[], { name, value }: Parameter): readonly unknown[] {
  const isMeant = (entry: unknown): entry is Mapping => isMapping(entry) && entry['name'] === name;
  if (!list.some(isMeant)) return [...list, { name, value }];
  // Where an entry also has valueFrom, Argo takes the value.
  return list.map((entry) => (isMeant(entry) ? { ...entry, value } : entry));
}

function parametersOf(run: GitHookRun): readonly Parameter[] {
  const { revisionParameterName, branchParameterName } = run.spec.argoWorkflow ?? {};
  return [
    ...(revisionParameterName ? [{ name: revisionParameterName, value: run.spec.commit }] : []),
    ...(branchParameterName ? [{ name: branchParameterName, value: run.spec.ref }] : []),
  ];
}

function noPlace(field: string, wanted: string): TerminalError {
  return new TerminalError(
    'ManifestInvalid',
    `The manifest's ${field} is not ${wanted}, so that the GitHook's argoWorkflow has nothing to fill in: write it so or remove it.`,
  );
}
