import collections, json, os, time, pytest, sys
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema
from schemathesis.engine import events as ev
import httpx2
from tests.house import House
from tests.integration.api.caller import hand_out_keys, key_of, Caller
from tests.integration.api.server import serving
from tests.integration.api.working import working
from tests.factories import payload

def test_explore(house: House) -> None:
    hand_out_keys(house)
    phases = os.environ.get("PH","examples,coverage,fuzzing").split(",")
    with serving(house) as address, working(house):
        root = address.removesuffix("/v1")
        cl = httpx2.Client(base_url=address, trust_env=False, headers={"Authorization": f"Bearer {key_of('admin')}"})
        doc = cl.get("/openapi.json").json(); cl.close()
        conf = {
            "seed": 1,
            "base-url": root,
            "headers": {"Authorization": f"Bearer {key_of('admin')}"},
            "continue-on-failure": True,
            "generation": {"max-examples": int(os.environ.get("N","10")), "deterministic": True, "allow-x00": False, "database":"none", "no-shrink": True, "with-security-parameters": False},
            "phases": {p: {"enabled": p in phases} for p in ("examples","coverage","fuzzing","stateful")},
            "request-timeout": 40,
            "operations": [
                {"include-path-regex": "/events$", "parameters": {"query.format": "json"}},
            ],
        }
        only=os.environ.get("ONLY")
        schema = schemathesis.openapi.from_dict(doc, config=SchemathesisConfig.from_dict(conf))
        if only: schema = schema.include(path_regex=only)
        t=time.time(); found=collections.defaultdict(list); n=collections.Counter(); el=collections.Counter(); codes=collections.Counter()
        for e in from_schema(schema).execute():
            if isinstance(e, ev.ScenarioFinished):
                n[e.recorder.label, e.phase.name]+=len(e.recorder.interactions); el[e.recorder.label, e.phase.name]+=e.elapsed_time
                for i in e.recorder.interactions.values():
                    if i.response is not None: codes[i.response.status_code]+=1
                for cid, cs in e.recorder.checks.items():
                    for c in cs:
                        if c.failure_info is not None:
                            i=e.recorder.interactions.get(cid)
                            r=i.response if i else None
                            body=(r.content or b"")[:300] if r is not None else None
                            rq=i.request if i else None
                            case=e.recorder.cases[cid].value
                            found[case.operation.label, c.name].append((e.phase.name, c.failure_info.failure.message[:300], rq and (rq.method,rq.uri, (rq.body or b"")[:400]), r is not None and r.status_code, body))
            elif isinstance(e,(ev.NonFatalError,ev.FatalError)):
                print("ERR", getattr(e,'label',None), e.exception if hasattr(e,'exception') else e)
                found["ERR","err"].append(str(getattr(e,'info',e)))
        print("TOTAL", sum(n.values()), time.time()-t, codes)
        for k,v in el.most_common(12): print("SLOW",k,n[k],round(v,1))
        with open("/tmp/explore/out.txt","w") as f:
            for k,v in sorted(found.items()):
                print(k,len(v),file=f); 
                seen=set()
                for x in v:
                    key=(x[1][:60],x[3]) if isinstance(x,tuple) else x
                    if key in seen: continue
                    seen.add(key); print("    ",*(x if isinstance(x,tuple) else (x,)),sep="\n       ",file=f)
                    if len(seen)>=4: break
        print("KINDS", collections.Counter({k:len(v) for k,v in found.items()}).most_common(100))
