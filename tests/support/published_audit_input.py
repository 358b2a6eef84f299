"""An input file of the Go perfscale-audit, as it was published.

https://github.com/kubevirt/kubevirt/pull/7180
"""

PUBLISHED = """\
{
\t"prometheusURL": "http://127.0.0.1:9090",
\t"startTime": "2021-11-09T21:00:00Z",
\t"endTime": "2021-11-09T21:20:00Z",
\t"thresholdExpectations": {
\t\t"PATCH-virtualmachineinstances-count": {
\t\t\t"ratio": 2,
\t\t\t"metric": "CREATE-pods-count"
\t\t},
\t\t"vmiCreationToRunningSecondsP95": {
\t\t\t"value": 60
\t\t}
\t}
}
"""
