@echo off
rem Runs kv4j: kv4j COMMAND [options]. Builds it first where there is no jar or a source is newer.
setlocal
set "ROOT=%~dp0"
set "JAR=%ROOT%apps\target\kv4j.jar"

set "JAVA=java"
if defined JAVA_HOME set "JAVA=%JAVA_HOME%\bin\java"
rem Which Java it is stands in a file of its home; to ask it takes longer.
set "VERSION=0"
set "BUILD="
if defined JAVA_HOME if exist "%JAVA_HOME%\release" for /f "usebackq tokens=1,2 delims==" %%a in ("%JAVA_HOME%\release") do (
  if "%%a"=="JAVA_VERSION" set "VERSION=%%~b"
  if "%%a"=="JAVA_RUNTIME_VERSION" set "BUILD=%%~b"
)
if "%VERSION%"=="0" for /f "tokens=3" %%v in ('^""%JAVA%" -version 2^>^&1 ^| findstr /c:" version "^"') do set "VERSION=%%~v"
for /f "delims=.-+" %%v in ("%VERSION%") do set "VERSION=%%v"
if %VERSION% LSS 17 (
  echo kv4j: it takes a JDK, 17 or newer, on the PATH or in JAVA_HOME>&2
  exit /b 1
)

rem Why these: see the script for sh.
set "FLAGS=-XX:+UseSerialGC -XX:PretenureSizeThreshold=1m -Xmn48m -Xms192m -XX:MinHeapFreeRatio=20"
set "FLAGS=%FLAGS% -XX:MaxHeapFreeRatio=40 -XX:MaxRAMPercentage=60 -XX:SoftRefLRUPolicyMSPerMB=1 -XX:MetaspaceSize=64m -Xlog:cds*=off"
set "KERNELS=kv4j.inference.kernel.*::*"
set "FLAGS=%FLAGS% -XX:CompileCommand=quiet -XX:CompileCommand=CompileThresholdScaling,%KERNELS%,0.2"
set "FLAGS=%FLAGS% -XX:CompileCommand=BackgroundCompilation,%KERNELS%,false"
if %VERSION% GEQ 23 set "FLAGS=%FLAGS% --sun-misc-unsafe-memory-access=allow"
if %VERSION% GEQ 24 set "FLAGS=%FLAGS% -Xlog:aot*=off"
rem The classes that most commands load; made with the jar. The JVM passes over one that does not fit.
if not defined BUILD set "BUILD=%VERSION%"
set "ARCHIVE=%ROOT%apps\target\kv4j-%BUILD%.jsa"

set "STALE=True"
if exist "%JAR%" for /f %%s in ('powershell -NoProfile -Command ^
  "$jar = (Get-Item -LiteralPath $env:JAR).LastWriteTime;" ^
  "$files = @(Get-Item -Path ($env:ROOT + 'pom.xml'), ($env:ROOT + '*\pom.xml')) + @(Get-ChildItem -Recurse -File -Path ($env:ROOT + '*\src\main'), ($env:ROOT + 'testdata'));" ^
  "[bool]($files | Where-Object LastWriteTime -gt $jar)"') do set "STALE=%%s"
if "%STALE%"=="False" goto run

rem In a copy of the folder it was built in, the times of files say nothing: copying gives new ones.
set "BUILT=%ROOT%apps\target\maven-status\maven-compiler-plugin\compile\default-compile\inputFiles.lst"
if exist "%JAR%" if exist "%BUILT%" (
  findstr /l /i /c:"%ROOT:\=\\%apps\\src\\" "%BUILT%" >nul
  if errorlevel 1 (
    echo kv4j: this folder is a copy of the one it was built in; running the jar as it is, though a source is newer ^(mvn package builds it anew^)>&2
    goto run
  )
)
where mvn >nul 2>nul
if errorlevel 1 (
  if exist "%JAR%" (
    echo kv4j: a source is newer than the jar, but there is no mvn on the PATH to build with; running the jar as it is>&2
    goto run
  )
  echo kv4j: there is no mvn on the PATH to build with; install Maven, 3.8.7 or newer>&2
  exit /b 1
)
echo kv4j: building, which takes minutes the first time>&2
rem The jar gets the time of the build's start, so that what is edited meanwhile counts as newer.
for /f %%t in ('powershell -NoProfile -Command "(Get-Date).Ticks"') do set "START=%%t"
set "LOG=%TEMP%\kv4j-build-%RANDOM%.log"
call mvn -B -ntp -f "%ROOT%pom.xml" -Dmaven.test.skip -Dspotless.check.skip package >"%LOG%" 2>&1
if errorlevel 1 (
  type "%LOG%" >&2
  del "%LOG%"
  echo kv4j: the build failed; Maven's output is above>&2
  exit /b 1
)
del "%LOG%"
powershell -NoProfile -Command "(Get-Item -LiteralPath $env:JAR).LastWriteTime = [datetime][long]$env:START"
if exist "%ARCHIVE%" del /f "%ARCHIVE%"
"%JAVA%" %FLAGS% "-XX:ArchiveClassesAtExit=%ARCHIVE%.new" -jar "%JAR%" rehearse <nul >nul 2>nul && move /y "%ARCHIVE%.new" "%ARCHIVE%" >nul

:run
set SHARED=
if exist "%ARCHIVE%" set SHARED="-XX:SharedArchiveFile=%ARCHIVE%"
"%JAVA%" %FLAGS% %SHARED% -jar "%JAR%" %*
exit /b %errorlevel%
