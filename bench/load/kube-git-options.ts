// How the measured kube-git is started. Called by bench/groups.

/** What Node takes as its heap's limit where the container has 1 GiB, as the Deployment says: here it has all the machine's memory. */
export const asDeployed = { NODE_OPTIONS: '--max-old-space-size=512' };
