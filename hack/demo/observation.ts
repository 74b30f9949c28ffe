// What the demo sees from outside: at the forge, in the API server, in a pod's log. Nothing here is assumed.
import type { GitHookRun } from '../../src/api/githookrun.ts';
import type { GitFetch } from '../../test/env/forge/git-front.ts';
import type { CommitStatus } from '../../test/env/forge/statuses.ts';
import type { DeliveryRecord } from '../../test/env/forge/webhooks.ts';
import type { SlackMessage } from '../../test/env/forge.ts';
import type { ReceivedPush } from '../../test/env/git-server.ts';

export type Observation =
  | { readonly kind: 'push'; readonly push: ReceivedPush }
  | { readonly kind: 'delivery'; readonly delivery: DeliveryRecord }
  | { readonly kind: 'fetch'; readonly fetch: GitFetch }
  | { readonly kind: 'run'; readonly run: GitHookRun }
  | { readonly kind: 'job'; readonly job: Job }
  | { readonly kind: 'log'; readonly pod: Pod; readonly text: string }
  | { readonly kind: 'status'; readonly status: CommitStatus }
  | { readonly kind: 'message'; readonly message: SlackMessage };

/** The fields of a Job that the demo looks at. */
export interface Job {
  readonly metadata: ObjectMeta;
}

/** The fields of a Pod that the demo looks at. */
export interface Pod {
  readonly metadata: ObjectMeta;
  readonly status?: {
    readonly containerStatuses?: readonly {
      readonly state?: { readonly running?: object; readonly terminated?: object };
    }[];
  };
}

interface ObjectMeta {
  readonly name: string;
  readonly uid: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly { readonly uid: string }[];
}
