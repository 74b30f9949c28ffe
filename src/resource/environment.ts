// What the containers of a Job are told about the push, as environment variables. Branch and author names are hostile:
// they are data here, and stay data in the kubelet.
import type { GitHookRun } from '../api/githookrun.ts';
import { isMapping, type Mapping } from './mapping.ts';

/**
 * The pod's spec with the variables in every container and init container, before its own so that those may refer to them.
 * A variable that a container sets itself stays its own. What is not a container is left for the API server to refuse.
 */
export function withEnvironment(podSpec: Mapping, run: GitHookRun): Mapping {
  if (run.spec.environment?.injection === 'Disabled') return podSpec;
  const variables = variablesOf(run);
  const changed = { ...podSpec };
  for (const field of ['initContainers', 'containers']) {
    const list = podSpec[field];
    if (Array.isArray(list)) changed[field] = list.map((container: unknown) => withVariables(container, variables));
  }
  return changed;
}

interface Variable {
  readonly name: string;
  readonly value: string;
}

function withVariables(container: unknown, variables: readonly Variable[]): unknown {
  if (!isMapping(container)) return container;
  const own = container['env'] ?? [];
  if (!Array.isArray(own)) return container;
  const names = new Set(own.map((entry: unknown) => (isMapping(entry) ? entry['name'] : undefined)));
  return { ...container, env: [...variables.filter(({ name }) => !names.has(name)), ...own] };
}

function variablesOf(run: GitHookRun): readonly Variable[] {
  const { repository, ref, commit, before, author } = run.spec;
  return [
    { name: 'KUBEGIT_REPOSITORY', value: literal(repository) },
    { name: 'KUBEGIT_REF', value: literal(ref) },
    { name: 'KUBEGIT_BRANCH', value: literal(ref.replace(/^refs\/(?:heads|tags)\//, '')) },
    { name: 'KUBEGIT_COMMIT', value: literal(commit) },
    { name: 'KUBEGIT_BEFORE', value: literal(before ?? '') },
    { name: 'KUBEGIT_AUTHOR', value: literal(author ?? '') },
    { name: 'KUBEGIT_RUN', value: literal(run.metadata.name ?? '') },
  ];
}

/**
 * A value the kubelet gives to the container unchanged: it replaces $(NAME) and turns $$ into $
 * (k8s.io/kubernetes/third_party/forked/golang/expansion). A NUL would keep the container from starting.
 */
function literal(value: string): string {
  return value.replaceAll('\0', '').replaceAll('$', '$$$$');
}
