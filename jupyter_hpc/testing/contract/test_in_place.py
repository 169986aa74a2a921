"""What the cell changed in place is changed here too, in the same objects."""

from __future__ import annotations

import pytest

from jupyter_hpc.testing.notebook import Notebook

# what is there before, the cell, what must be true afterwards, options of the magic
CASES: dict[str, tuple[str, str, str, str]] = {
    "a generator of random numbers moves on": (
        "import numpy as np\nrng=np.random.default_rng(0); r2=np.random.default_rng(0); alias=rng",
        "a=rng.integers(0,100,5)",
        "(list(a)==list(r2.integers(0,100,5))) and (rng.integers(10**9)==r2.integers(10**9)) and (alias is rng)",
        "",
    ),
    "random.Random moves on": (
        "import random\nr=random.Random(3); q=random.Random(3)",
        "x=r.random()",
        "(x==q.random() and r.random()==q.random())",
        "",
    ),
    "an array is seen under all its names": (
        "import numpy as np\nx1=np.arange(6); y=x1; box=[x1]; v=x1[1:3]",
        "x1[0]=3",
        "(x1[0]==3 and y is x1 and box[0] is x1)",
        "",
    ),
    "a mapped array of which one element changed": (
        "import numpy as np\nbig=np.zeros(3<<20); al=big; other=np.ones(3<<20)",
        "big[5]=1; s=other.sum()",
        "(al is big and big[5]==1 and other.sum()==3<<20)",
        "",
    ),
    "a data frame in a dict": (
        "import pandas as pd\ndf=pd.DataFrame({'a':[1,2],'s':['x','y']}); h={'d':df}; view=df['a']",
        "df['b']=df.a*2; df.loc[0,'a']=9",
        "(h['d'] is df and list(df.b)==[2,4] and list(df.a)==[9,2]) and (df.shape==(2,3)) and (df.flags.allows_duplicate_labels)",
        "",
    ),
    "a series and its name": (
        "import pandas as pd\ns=pd.Series([1,2,3],name='k'); t=s",
        "s[1]=7; s.name='z'",
        "(t is s and list(s)==[1,7,3] and s.name=='z')",
        "",
    ),
    "closures that share a variable": (
        "def mk():\n    n=0\n    def inc():\n        nonlocal n; n+=1; return n\n    def get(): return n\n    return inc,get\ninc,get=mk()",
        "r=inc(); r2=get()",
        "(r==1 and r2==1 and get()==1 and inc()==2)",
        "",
    ),
    "a class with a registry, and slots": (
        "class A:\n    count=0\n    reg=[]\n    __slots__=('v',)\n    def __init__(s,v): s.v=v; A.count+=1; A.reg.append(s)\na=A(1); al=a",
        "a.v=5; b=A(2)",
        "(al is a and a.v==5 and A.count==2 and A.reg[0] is a and A.reg[1] is b and type(b) is A)",
        "",
    ),
    "a mutable default, and an attribute of a function": (
        "def f(x,acc=[]):\n    acc.append(x); return acc\nf.calls=0",
        "f(1); f.calls+=1; z=f(2)",
        "(f.calls==1 and f.__defaults__[0]==[1,2] and z is f.__defaults__[0])",
        "",
    ),
    "deque, defaultdict, Counter, OrderedDict, set, bytearray": (
        "from collections import deque, defaultdict, Counter, OrderedDict\nd=deque([1,2],3); dd=defaultdict(list); c=Counter('ab'); od=OrderedDict(a=1,b=2); st={1,2}; ba=bytearray(b'ab'); L=[d,dd,c,od,st,ba]",
        "d.append(3); d.append(4); dd['k'].append(1); c['z']+=1; od.move_to_end('a'); st.discard(1); ba+=b'c'",
        "(list(d)==[2,3,4] and dd=={'k':[1]} and c['z']==1 and list(od)==['b','a'] and st=={2} and ba==b'abc') and (all(x is y for x,y in zip(L,[d,dd,c,od,st,ba])))",
        "",
    ),
    "iterators go on where they were": (
        "it=iter([1,2,3]); e=iter([1])",
        "next(it); list(e)",
        "(next(it)==2) and (list(e)==[])",
        "",
    ),
    "a name bound anew while an alias stays": (
        "x=[1]; y=x",
        "x=x+[2]; y.append(9)",
        "(x==[1,2] and y==[1,9] and x is not y)",
        "",
    ),
    "a list in a tuple in a dict": (
        "a=[1]; b=(a,); c={'t':b}",
        "a.append(2)",
        "(c['t'] is b and b[0] is a and a==[1,2])",
        "",
    ),
    "a dict that holds itself": (
        "d={}; d['self']=d",
        "d['n']=1; k=d",
        "(k is d and d['self'] is d and d['n']==1)",
        "",
    ),
    "a StringIO": (
        "import io\nbuf=io.StringIO(); buf.write('a')\nal=buf",
        "buf.write('b')",
        "(al is buf and buf.getvalue()=='ab')",
        "",
    ),
    "an object with __getstate__ and a lock": (
        "class P:\n    def __init__(s): s.v=1; s.lock=__import__('threading').Lock()\n    def __getstate__(s): d=dict(s.__dict__); del d['lock']; return d\n    def __setstate__(s,d): s.__dict__.update(d); s.lock=__import__('threading').Lock()\np=P(); q=p",
        "p.v=7; p.w=[p]",
        "(q is p and p.v==7 and p.w[0] is p and p.lock is not None)",
        "",
    ),
    "an item deleted": (
        "l=[1,2,3]; m=l",
        "del l[0]; l2=l",
        "(m is l and l==[2,3] and l2 is l)",
        "",
    ),
    "a name deleted and a list appended": (
        "x=1; y=[2]",
        "del x\ny.append(3)",
        "('x' not in globals() and y==[2,3])",
        "",
    ),
    "-o brings just these": (
        "h=[]; w=[]",
        "h.append(1); w.append(2)",
        "(h==[] and w==[2])",
        "-o w",
    ),
    "-O brings nothing": (
        "h=[]",
        "h.append(1)",
        "(h==[])",
        "-O",
    ),
    "what can't be pickled leaves the rest": (
        "h=[1]",
        "h.append(lambda: 2)\nh.append(open('/etc/hostname'))\nk=3",
        "(h==[1] and k==3)",
        "",
    ),
    "one part that can't be pickled leaves the other": (
        "o={'a':[1],'b':[2]}",
        "o['a'].append(open('/etc/hostname')); o['b'].append(3)",
        "(o['b']==[2,3] and o['a']==[1])",
        "",
    ),
    "inside a frozen dataclass": (
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass F:\n    a: list\nf=F([1])",
        "f.a.append(2)",
        "(f.a==[1,2])",
        "",
    ),
    "a list subclass with attributes": (
        "class T(list):\n    pass\nt=T([1]); t.tag='x'; u=t",
        "t.append(2); t.tag='y'",
        "(u is t and t==[1,2] and t.tag=='y')",
        "",
    ),
    "changes before the cell failed": (
        "l=[1]\ntry:\n    pass\nexcept Exception: pass",
        "l.append(2)\nraise ValueError('x')",
        "(l==[1,2])",
        "",
    ),
    "a masked array": (
        "import numpy as np\nm=np.ma.array([1,2,3],mask=[0,1,0]); n=m",
        "m[0]=9; m.mask[2]=True",
        "(n is m and m[0]==9 and bool(m.mask[2]))",
        "",
    ),
    "an optimizer made there holds what is here": (
        "def helper(): return 1\nclass Net:\n    def __init__(s): s.w=[0.]\nnet=Net()\nclass Opt:\n    def __init__(s,p): s.p=p\n    def step(s): s.p[0]-=1",
        "opt=Opt(net.w); opt.step(); k=helper",
        "(opt.p is net.w and net.w==[-1.0] and type(opt) is Opt and k is helper)",
        "",
    ),
    "a view of an array that is laid out backwards": (
        "import numpy as np; back = np.arange(4.0)[::-1]; a = np.arange(4.0)",
        "b = back[1:]\nv = a[1:]\nv[0] = 9",
        "b.tolist() == [2.0, 1.0, 0.0] and v.base is a and a[1] == 9",
        "",
    ),
    "an iterator that stands at the end of a list that grows": (
        "l = [1, 2, 3]; a = iter(l); b = iter([1]); c = reversed([1, 2]); d = iter((1, 2))",
        "next(a); next(a); next(a); list(b); next(c); next(c); next(d)",
        "(l.append(4), next(a))[1] == 4 and list(a) == list(b) == list(c) == [] and list(d) == [2]",
        "",
    ),
    "an array that was laid out backwards there": (
        "import numpy as np",
        "a = np.arange(4.0)[::-1]",
        "a.strides == (-8,) and not np.shares_memory(a.ravel(), a)",
        "",
    ),
    "a namespace": (
        "import types\nns=types.SimpleNamespace(a=1); nn=ns",
        "ns.a=2; ns.b=3",
        "(nn is ns and ns.b==3 and ns.a==2)",
        "",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_as_if_it_had_run_here(notebook: Notebook, case: str) -> None:
    before, cell, expected, options = CASES[case]
    notebook.run(before)
    notebook.remote(cell, options, fails="raise " in cell)
    assert notebook.value(f"bool({expected})") is True


def test_only_what_changed_is_said_to_have_changed(notebook: Notebook) -> None:
    notebook.run("import numpy as np\nA = np.ones(100); b = bytearray(3); w = [np.ones(10)]; n = np.ones(2)")
    executed = notebook.remote("w[0] -= A[:10]; b[0] = 1; total = n.sum()")
    assert "changed here too: b, w\n" in executed.text + "\n"
    assert notebook.value("(int(w[0].sum()), list(b), int(A.sum()))") == (0, [1, 0, 0], 100)


def test_what_can_not_be_changed_in_place_is_bound_anew_and_said(notebook: Notebook) -> None:
    notebook.run("import numpy as np\na = np.zeros(2); held = [a]")
    executed = notebook.remote("a.dtype = 'i8'; a[0] = 7")
    assert notebook.value("(a.tolist(), a.dtype.name, held[0] is a)") == ([7, 0], "int64", False)
    card = executed.data("text/plain")[-1]
    assert "a could not be changed in place and is another object now; something else here still holds" in card


def test_what_was_changed_here_meanwhile_is_left_alone(notebook: Notebook) -> None:
    notebook.run("a = [1]; b = [1]; c = {'b': b}")
    notebook.remote("a.append(2); b.append(2); d = b", "--detach")
    notebook.run("_hpc.wait(120); run = _hpc.id; a.append('here')")
    assert notebook.value("_hpc.result()") == {"a": [1, 2], "b": [1, 2], "d": [1, 2]}
    assert notebook.value("(a, b)") == ([1, "here"], [1])  # result() touches nothing here
    executed = notebook.run("%hpc result {run}")
    assert "a changed there, but here too meanwhile" in executed.text
    assert notebook.value("(a, b, c['b'] is b, d is b)") == ([1, "here"], [1, 2], True, True)
    notebook.run("%hpc result {run} --force a")
    assert notebook.value("a") == [1, 2]


def test_in_a_new_kernel_names_hold_what_they_came_to_be(notebook: Notebook) -> None:
    notebook.run("class Net:\n    def __init__(self): self.w = [0]\nnet = Net(); also = net")
    notebook.remote("net.w[0] = 5; opt = [net.w, also]", "--detach")
    notebook.run("_hpc.wait(120)")
    run = notebook.value("_hpc.id")
    notebook.restart()
    notebook.run("class Net:\n    def __init__(self): self.w = [0]")
    notebook.run(f"%hpc result {run}")
    assert notebook.value("(net.w, opt[0] is net.w, opt[1] is net, type(net) is Net)") == (
        [5],
        True,
        True,
        True,
    )


def test_a_result_that_was_brought_is_not_brought_over_later_changes(notebook: Notebook) -> None:
    notebook.run("a = [1]")
    notebook.remote("a.append(2); b = len(a)")
    notebook.run("run = _hpc.id; a.append('later'); same = a")
    notebook.run("%hpc result {run}")
    assert notebook.value("(a, same is a, b)") == ([1, 2, "later"], True, 2)
    notebook.run("%hpc result {run} --force a")
    assert notebook.value("a") == [1, 2]


def test_an_input_that_can_not_be_loaded_here_costs_only_what_holds_it(notebook: Notebook) -> None:
    notebook.run(
        "import os\nhere = os.getpid()\nclass Z:\n    def __setstate__(self, state):\n"
        "        if os.getpid() == here: raise ValueError('not here')\n    def __getstate__(self): return {'n': 1}\n"
        "good = [1]; zed = Z()"
    )
    notebook.remote("made = 5; both = [zed]; same = good; kind = len(both)", "--detach")
    outcome = "(o := _hpc.outcome(60)) and (o.names['made'], o.names['kind'], o.names['same'], o.unsent['both'])"
    made, kind, same, why = notebook.value(outcome)
    assert (made, kind, same) == (5, 1, [1])
    assert "zed, which can't be loaded here: ValueError: not here" in why


def test_values_are_let_go_without_the_cyclic_collector(notebook: Notebook) -> None:
    notebook.run(
        "import gc, weakref, jupyter_hpc, numpy as np\nclass Big(dict): pass\n"
        "def f(x): return Big(y=np.ones(1 << 18))\nbig = Big(x=np.ones(1 << 18)); gc.collect(); gc.disable()"
    )
    notebook.run(f"result = jupyter_hpc.submit(f, big, on={notebook.target!r}).result(60)")
    notebook.run("refs = [weakref.ref(big), weakref.ref(result)]; del big, result")
    assert notebook.value("[r() is None for r in refs]") == [True, True]
    notebook.run("big = Big(x=np.ones(1 << 18))")
    notebook.remote("big['z'] = 1; made = Big()", "--quiet")
    notebook.run("refs = [weakref.ref(big), weakref.ref(made)]; del big, made")
    assert notebook.value("[r() is None for r in refs]") == [True, True]
