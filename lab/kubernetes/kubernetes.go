// Package kubernetes makes the lab's processes a cluster on a real API server.
//
// The API server, with its RBAC and its admission, is Kubernetes' own. What
// else a cluster has is played here, by Cluster, for one node: the controllers
// of Deployments, DaemonSets, StatefulSets and Jobs, and the kubelet. A workload
// of the lab is one process; its pod is that process:
//
//   - a changed pod template, or a deleted pod, ends the pod and starts the
//     process again, and the statuses say what the process is;
//   - a process that does not serve is a pod that is not ready. Nothing starts
//     it again by itself: the lab's faults stop processes for good;
//   - a Job runs a program of the lab that its image names, once, whatever its
//     backoff limit; its deadline holds;
//   - logs of pods are served as a kubelet serves them.
//
// A Deployment of the lab runs one replica, since there is one process, and its
// scale is not followed.
package kubernetes
