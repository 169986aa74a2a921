"""Values that pickle and cloudpickle get wrong: setup, names that travel, and what must hold on the other side."""

from __future__ import annotations

CASES = {
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
    "a metaclass with arguments": (
        """
        class Meta(type):
            def __new__(m,n,b,d,*,size): c=super().__new__(m,n,b,d); c.size=size; return c
            def __init__(c,n,b,d,*,size): super().__init__(n,b,d)
        class T(metaclass=Meta,size=4): pass
        t=T()
        """,
        "T t",
        "T.size==4 and type(t) is T and type(T).__name__=='Meta'",
    ),
    "an __init_subclass__ with arguments": (
        """
        reg=[]
        class Base:
            def __init_subclass__(cls, /, arg, **kw): super().__init_subclass__(**kw); cls.arg=arg; reg.append(cls)
        class Child(Base,arg='h'): pass
        c=Child()
        """,
        "reg Child c Base",
        "c.arg=='h' and reg==[Child] and Base.__init_subclass__",
    ),
    "a metaclass that forbids to set attributes": (
        """
        class Const(type):
            def __setattr__(c,k,v): raise TypeError
            def __getattr__(c,k): raise ValueError
        class K(metaclass=Const):
            A=1
        k=K()
        """,
        "k K",
        "k.A==1",
    ),
    "an abstract class of a metaclass of its own": (
        """
        import abc
        class M(abc.ABCMeta):
            def __new__(m,n,b,d,*,q=0): c=super().__new__(m,n,b,d); c.q=q; return c
        class A(metaclass=M,q=5):
            @abc.abstractmethod
            def f(self): ...
        class B(A):
            def f(self): return 1
        @A.register
        class R: pass
        b=B()
        """,
        "A B b R",
        "A.q==5 and isinstance(b,A) and issubclass(R,A) and b.f()==1",
    ),
    "enums with constructors of their own": (
        """
        import enum
        class Co(bytes,enum.Enum):
            def __new__(cls,value,label): o=bytes.__new__(cls,[value]); o._value_=value; o.label=label; return o
            PX=(0,'P.X'); PY=(1,'P.Y')
        class Pl(enum.Enum):
            E=(5.9,6.3)
            def __init__(s,m,r): s.m=m; s.r=r
            @property
            def g(s): return s.m*2
        c=Co.PY
        """,
        "Co Pl c",
        "Co(1) is Co.PY and c is Co.PY and Co.PX.label=='P.X' and Pl.E.g==11.8 and Co.PY==b'\\x01' and list(Co)==[Co.PX,Co.PY] and Co['PX'] is Co.PX and Pl((5.9,6.3)) is Pl.E",
    ),
    "an enum of functions": (
        """
        import enum,functools
        class Op(enum.Enum):
            ADD=functools.partial(lambda a,b:a+b)
            def __call__(s,*a): return s.value(*a)
            @staticmethod
            def h(): return Op.ADD
        o=Op.ADD
        """,
        "o Op",
        "o(1,2)==3 and o is Op.ADD and Op.h() is o",
    ),
    "enums of every kind": (
        """
        import enum
        class A(enum.IntEnum):
            X=1; Y=2; Z=1
        class S(str,enum.Enum):
            A='a'
        class F(enum.Flag):
            R=1; W=2; RW=3
        class IF(enum.IntFlag):
            R=1; W=2
        @enum.unique
        class Au(enum.Enum):
            def _generate_next_value_(name,s,c,l): return name.lower()
            P=enum.auto(); Q=enum.auto()
            @classmethod
            def _missing_(cls,v): return cls.P
        m=F.R|F.W; n=IF.R|IF.W; i=~IF.R
        d={A.X:1}
        """,
        "A S F IF Au m n d i",
        "A(1) is A.X and A.Z is A.X and len(A)==2 and A.Y+1==3 and S('a') is S.A and S.A=='a' and m is F.RW and (F.R in m) and int(n)==3 and n==IF.R|IF.W and Au('q') is Au.Q and Au('zz') is Au.P and d[A.X]==1 and Au.P.value=='p' and F(1)|F(2) is F.RW and A.X.name=='X' and isinstance(A.X,int) and hash(A.X)==hash(A.X)",
    ),
    "an enum of a dataclass": (
        """
        import enum, dataclasses
        @dataclasses.dataclass(frozen=True)
        class Mx:
            a:int
            b:int
        class D(Mx,enum.Enum):
            P=(1,2); Q=(3,4)
        class Cl(enum.Enum):
            A=[1,2]; B={'k':1}
            def m(self): return self.value
        """,
        "D Cl Mx",
        "D.P.a==1 and D.Q.b==4 and Cl([1,2]) is Cl.A and Cl.B.m()=={'k':1}",
    ),
    "type variables": (
        """
        from typing import *
        T=TypeVar('T',bound='Impl'); P=ParamSpec('P')
        class Box(Generic[T]):
            def __init__(s,v): s.v=v
        U=NewType('U',int)
        b=Box[int](3)
        def f(x:T)->T: return x
        L=List[T]; A=Annotated[int,'m']
        """,
        "T P Box U b f L A",
        "b.v==3 and Box.__parameters__==(T,) and f.__annotations__['x'] is T and L.__parameters__==(T,) and P.__name__=='P' and U(3)==3",
    ),
    "what typing makes": (
        """
        import typing as t
        class Nt(t.NamedTuple):
            a:int
            b:str='x'
            def both(s): return (s.a,s.b)
        class Td(t.TypedDict,total=False):
            k:int
        @t.runtime_checkable
        class Pr(t.Protocol):
            def run(s)->int: ...
        class Impl:
            def run(s): return 1
        n=Nt(1)
        """,
        "Nt Td Pr Impl n",
        "n.both()==(1,'x') and isinstance(Impl(),Pr) and Td(k=1)=={'k':1} and Nt(2)==(2,'x')",
    ),
    "what functools makes in a class": (
        """
        from functools import *
        class Sim:
            def __init__(s,n): s.n=n
            @cached_property
            def total(s): return sum(range(s.n))
            @singledispatchmethod
            def show(s,x): return 'any'
            @show.register
            def _(s,x:int): return 'int'
            @lru_cache
            def z(s): return 7
            @total_ordering
            class In:
                def __eq__(s,o): return True
                def __lt__(s,o): return False
        s=Sim(5)
        """,
        "s Sim",
        "s.total==10 and s.show(1)=='int' and s.show('')=='any' and Sim(4).total==6 and s.z()==7",
    ),
    "a function of many types": (
        """
        from functools import singledispatch
        import numbers
        @singledispatch
        def show(x): 'doc'; return 'any'
        @show.register
        def _(x:int): return 'int'
        @show.register(list)
        def _(x): return [show(i) for i in x]
        @show.register
        def _(x: numbers.Number): return 'num'
        show.extra=1
        """,
        "show",
        "show(1)=='int' and show([1,'s'])==['int','any'] and show(1.5)=='num' and show.__doc__=='doc' and show.extra==1 and show.__name__=='show' and show.__wrapped__('x')=='any'",
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
