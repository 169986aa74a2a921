"""Classes, enums and functions that pickle and cloudpickle get wrong, as in ``value_cases``."""

from __future__ import annotations

OF_CLASSES = {
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
}
