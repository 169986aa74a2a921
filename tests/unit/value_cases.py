"""Values that pickle and cloudpickle get wrong: setup, names that travel, and what must hold on the other side."""

from __future__ import annotations

from tests.unit.value_cases_of_classes import OF_CLASSES

CASES = {
    **OF_CLASSES,
    "an array of objects that may not be written, and a strided one": (
        "import numpy as np\no = np.array([[1], 'x'], dtype=object); s = np.arange(6)[::2]\n"
        "for a in (o, s): a.flags.writeable = False",
        "o s",
        "not o.flags.writeable and not s.flags.writeable and o[0] == [1] and s.tolist() == [0, 2, 4]",
    ),
    "a masked array without a mask, and one with": (
        "import numpy as np\nbare = np.ma.array([1, 2]); full = np.ma.array([1, 2], mask=[0, 1], fill_value=7)",
        "bare full np",
        "bare.mask is np.ma.nomask and full.mask.tolist() == [False, True] and full.fill_value == 7",
    ),
    "a dict whose attributes are its items": (
        """
        class C(dict):
            __getattr__ = dict.__getitem__
            __setattr__ = dict.__setitem__
        c=C(a=1); c.sub=C(x=2)
        """,
        "c C",
        "c.a==1 and c.sub.x==2 and type(c.sub) is C",
    ),
    "a proxy that asks what it wraps": (
        """
        class W:
            def __init__(s,i): s.inner=i
            def __getattr__(s,n): return getattr(s.inner,n)
        w=W([1,2])
        """,
        "w W",
        "w.index(2)==1",
    ),
    "an object that raises for every attribute": (
        """
        class L:
            def __getattr__(s,k): raise RuntimeError(k)
        z=L()
        """,
        "z L",
        "type(z) is L",
    ),
    "an object whose every attribute raises": (
        """
        class L:
            def __init__(s): object.__setattr__(s,'x',3)
            def __getattribute__(s,k): raise RuntimeError(k)
        z=L()
        """,
        "z L",
        "object.__getattribute__(z,'x')==3",
    ),
    "objects that lie about their class": (
        """
        class L:
            @property
            def __class__(s): raise ValueError
        z=L()
        class M:
            @property
            def __class__(s): return dict
        y=M()
        """,
        "z y L M",
        "type(z) is L and type(y) is M",
    ),
    "a tuple whose constructor takes its parts": (
        """
        class V(tuple):
            def __new__(cls,a,b): return super().__new__(cls,(a,b))
        v=V(1,2)
        """,
        "v V",
        "v==(1,2) and type(v) is V and V(3,4)==(3,4)",
    ),
    "a float with a unit": (
        """
        class F(float):
            def __new__(cls,v,unit): o=super().__new__(cls,v); o.unit=unit; return o
        v=F(1.5,'m')
        """,
        "v F",
        "v==1.5 and v.unit=='m'",
    ),
    "a str with a keyword": (
        """
        class F(str):
            def __new__(cls,v,*,u): o=super().__new__(cls,v); o.u=u; return o
        v=F('a',u=1)
        """,
        "v F",
        "v=='a' and v.u==1",
    ),
    "other immutables with constructors of their own": (
        """
        class I(int):
            def __new__(cls,a,b): return super().__new__(cls,a*b)
        class B(bytes):
            def __new__(cls,a,b): return super().__new__(cls,a+b)
        class S(frozenset):
            def __new__(cls,*a): return super().__new__(cls,a)
        i=I(2,3); b=B(b'a',b'b'); s=S(1,2)
        """,
        "i b s I B S",
        "i==6 and b==b'ab' and s=={1,2} and type(s) is S",
    ),
    "a set and a list with constructors of their own": (
        """
        class S(set):
            def __init__(s,a,b): super().__init__((a,b)); s.n=1
        class L(list):
            def __init__(s,a): super().__init__([a]); s.n=a
            def append(s,x): s.log.append(x); super().append(x)
        s=S(1,2); l=L(4)
        """,
        "s l S L",
        "s=={1,2} and s.n==1 and l==[4] and l.n==4",
    ),
    "a dict that keeps a log": (
        """
        class D(dict):
            def __init__(s,*a): s.log=[]; super().__init__()
            def __setitem__(s,k,v): s.log.append(k); super().__setitem__(k,v)
        d=D(); d['a']=1
        """,
        "d D",
        "d=={'a':1} and d.log==['a']",
    ),
    "attributes of a Counter and its like": (
        """
        from collections import *
        class C(Counter):
            pass
        c=C('aab'); c.n=4
        class D(defaultdict):
            def __init__(s): super().__init__(list); s.n=1
        d=D(); d['x'].append(1)
        class O(OrderedDict):
            def __init__(s,q): super().__init__(); s.q=q
        o=O(3); o['z']=1; o['a']=2
        class Q(deque):
            def __init__(s,q): super().__init__([q],maxlen=3); s.q=q
        q=Q(9)
        """,
        "c d o q",
        "c['a']==2 and c.n==4 and d.n==1 and d['y']==[] and d['x']==[1] and o.q==3 and list(o)==['z','a'] and q.q==9 and list(q)==[9] and q.maxlen==3",
    ),
    "exceptions with constructors of their own": (
        """
        class My(Exception):
            def __init__(s,code,*,extra): super().__init__(code); s.code=code; s.extra=extra
        e=My(3,extra='x'); e.__cause__=ValueError('c'); e.__context__=KeyError(1)
        class O(OSError):
            def __init__(s,path): super().__init__(2,'no',path); s.p=path
        o=O('/x')
        class U(UnicodeDecodeError):
            def __init__(s): super().__init__('utf8',b'x',0,1,'r')
        u=U()
        class N(Exception):
            def __init__(s, a, b): s.a=a; s.b=b
            def __str__(s): return f'{s.a}{s.b}'
        n=N(1,2)
        """,
        "e o u n My",
        "type(e) is My and e.code==3 and e.extra=='x' and isinstance(e.__cause__,ValueError) and isinstance(e.__context__,KeyError) and o.filename=='/x' and o.errno==2 and o.p=='/x' and u.reason=='r' and str(n)=='12' and n.a==1",
    ),
    "an exception whose cause can't travel": (
        """
        import threading
        e=ValueError('a'); e.__cause__=KeyError(threading.Lock())
        """,
        "e",
        "str(e)=='a' and e.__cause__ is None",
    ),
    "a class whose __new__ takes more": (
        """
        class P:
            def __new__(cls,a): o=super().__new__(cls); o.a=a; return o
        p=P(3)
        """,
        "p P",
        "p.a==3",
    ),
    "a singleton": (
        """
        class P:
            one=None
            def __new__(cls):
                if cls.one is None: cls.one=super().__new__(cls)
                return cls.one
        p=P()
        """,
        "P p",
        "P() is p",
    ),
    "objects that keep their own hash": (
        """
        class K:
            def __init__(s,n): s.n=n; s.h=hash(n)
            def __hash__(s): return s.h
            def __eq__(s,o): return s.n==o.n
        d={K('a'):1}
        class K2:
            __slots__=('a','b','_h')
            def __init__(s,a,b): s.a=a; s.b=b; s._h=hash((a,b))
            def __hash__(s): return s._h
            def __eq__(s,o): return s.a==o.a
        t={K2('x',1)}
        """,
        "d K t K2",
        "d[K('a')]==1 and K2('x',1) in t",
    ),
    "frozen slots": (
        """
        class F:
            __slots__=('x','__y')
            def __init__(s): object.__setattr__(s,'x',1); object.__setattr__(s,'_F__y',2)
            def __setattr__(s,k,v): raise AttributeError
        f=F()
        """,
        "f F",
        "f.x==1 and f._F__y==2",
    ),
    "a datetime with a constructor of its own": (
        """
        import datetime
        class D(datetime.datetime):
            def __new__(cls,s): o=super().__new__(cls,2020,1,s); o.k=s; return o
        d=D(5)
        """,
        "d D",
        "d.day==5 and d.k==5",
    ),
    "a namedtuple with a constructor of its own": (
        """
        from collections import namedtuple
        class P(namedtuple('P0','x y')):
            def __new__(cls,x): return super().__new__(cls,x,x)
        p=P(4)
        """,
        "p P",
        "p.x==4 and p.y==4 and type(p) is P",
    ),
    "a frozen dataclass with slots": (
        """
        from dataclasses import dataclass, field, KW_ONLY, InitVar
        @dataclass(frozen=True,slots=True)
        class D:
            x:int
            y:list=field(default_factory=list)
        d=D(1)
        """,
        "d D",
        "d.x==1 and d==D(1) and not hasattr(d,'__dict__')",
    ),
    "a descriptor that is told its name": (
        """
        class Desc:
            def __set_name__(s,o,n): s.n=n
            def __get__(s,i,o): return s.n
        class K:
            a=Desc()
        k=K()
        """,
        "k K",
        "k.a=='a'",
    ),
    "a class that reduces itself": (
        """
        class R:
            def __init__(s,a): s.a=a
            def __reduce__(s): return (R,(s.a,))
        r=R(3)
        class Sub(R):
            pass
        q=Sub(2)
        """,
        "r q R",
        "r.a==3 and q.a==2",
    ),
    "a class that names its arguments": (
        """
        class R:
            def __new__(cls,a,*,b): o=super().__new__(cls); o.a=a; o.b=b; return o
            def __getnewargs_ex__(s): return (s.a,),{'b':s.b}
        r=R(3,b=4)
        """,
        "r R",
        "r.a==3 and r.b==4",
    ),
    "objects that hold themselves": (
        """
        class D(dict):
            __getattr__=dict.__getitem__
        d=D(); d['me']=d
        class E(Exception):
            def __init__(s,*,q): s.q=q
        e=E(q=1); e.q=e
        """,
        "d e",
        "d.me is d and e.q is e",
    ),
    "numbers with constructors of their own": (
        """
        import decimal,fractions,uuid
        class D(decimal.Decimal):
            def __new__(cls,a,b): o=super().__new__(cls,a); o.b=b; return o
        d=D('1.5',2)
        class F(fractions.Fraction):
            def __new__(cls,a): o=super().__new__(cls,a,7); o.k=a; return o
        f=F(3)
        class T(__import__('datetime').date):
            def __new__(cls,y): return super().__new__(cls,y,1,1)
        t=T(2020)
        """,
        "d f t",
        "d.b==2 and str(d)=='1.5' and f.k==3 and f.denominator==7 and t.year==2020",
    ),
    "an exception from another": (
        """
        def mk():
            try:
                try: 1/0
                except ZeroDivisionError as a: raise ValueError('x') from a
            except ValueError as b: return b
        e=mk()
        """,
        "e",
        "isinstance(e.__cause__,ZeroDivisionError) and e.__context__ is e.__cause__",
    ),
}
